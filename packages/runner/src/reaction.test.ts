import { create } from "@bufbuild/protobuf";
import { LeaseSchema, WorkSessionSchema, WorkSessionStatus } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import { describe, expect, test } from "vitest";
import { type Reaction, reactTo } from "./reaction.ts";

const { PENDING, BLOCKED, ACTIVE, COMPLETED, FAILED, CANCELLED } = WorkSessionStatus;

type Holder = "nobody" | "me" | "another";

function react(status: WorkSessionStatus, holder: Holder, epoch: bigint, heldEpoch: bigint | undefined): Reaction {
  const lease = holder === "nobody" ? {} : { lease: create(LeaseSchema, { runner: holder, epoch }) };
  return reactTo(create(WorkSessionSchema, { id: "ws_1", status, ...lease }), { name: "me", heldEpoch });
}

describe("the reaction of a runner", () => {
  test.each<[string, WorkSessionStatus, Holder, bigint, bigint | undefined, Reaction]>([
    ["claims what waits and nobody holds", PENDING, "nobody", 0n, undefined, "claim"],
    ["claims again what its name held before a restart", ACTIVE, "me", 3n, undefined, "claim"],
    ["claims again what its name holds under an epoch it does not know", ACTIVE, "me", 4n, 3n, "claim"],
    ["keeps what it holds", ACTIVE, "me", 3n, 3n, "keep"],
    ["keeps what it holds when it sees an older state", PENDING, "nobody", 0n, 3n, "keep"],
    ["keeps what it holds when it sees its predecessor's lease", ACTIVE, "another", 2n, 3n, "keep"],
    ["lets go of what another took over", ACTIVE, "another", 4n, 3n, "let-go"],
    ["leaves alone what another holds", ACTIVE, "another", 4n, undefined, "ignore"],
    ["leaves alone what was made active without a runner", ACTIVE, "nobody", 0n, undefined, "ignore"],
    ["leaves alone what waits for other sessions", BLOCKED, "nobody", 0n, undefined, "ignore"],
  ])("%s", (_promise, status, holder, epoch, heldEpoch, expected) => {
    expect(react(status, holder, epoch, heldEpoch)).toBe(expected);
  });

  test.each([COMPLETED, FAILED, CANCELLED])("leaves alone what has ended (%i)", (status) => {
    expect(react(status, "nobody", 0n, undefined)).toBe("ignore");
  });
});
