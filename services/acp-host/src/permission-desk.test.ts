import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { endHosts, HostUnderTest, type SentEvent } from "./testing/host-under-test.ts";

// A scripted agent that asks before it does something, and a server that answers. One host for all.

let desk: HostUnderTest;
let thread: string;
let request: string;
let requests = 0;

beforeAll(async () => {
  desk = new HostUnderTest();
  thread = await desk.thread();
});

afterAll(endHosts);

beforeEach(() => {
  requests += 1;
  request = `R${requests}`;
});

function begin(policy: "allow" | "ask" | "reject"): void {
  desk.say("ask first", request, { acp_thread_id: thread, permission_policy: policy });
}

/** Begins a turn that asks; gives what the server is told. */
async function ask(): Promise<SentEvent["data"]> {
  begin("ask");
  const { data } = await desk.waitFor((event) => event.event_type === "permission_requested" && isOf(event));
  return data;
}

function isOf({ data }: SentEvent): boolean {
  return data["request_id"] === request;
}

function told(event_type: string, permissionId: unknown): unknown[] {
  return desk.events.flatMap(({ event_type: type, data }) =>
    type === event_type && data["permission_id"] === permissionId ? [data["outcome"] ?? "asked"] : [],
  );
}

/** What the agent has heard, and what the tool call went through. */
async function outcome(): Promise<[unknown, unknown[]]> {
  await desk.ending(request);
  const all = desk.events.flatMap((event) =>
    event.data["entry_type"] === "tool_call" && isOf(event) ? [event.data["tool_status"]] : [],
  );
  return [desk.entries(request).at(-1), all.filter((status, at) => status !== all[at - 1])];
}

describe("a request for permission", () => {
  test("is told with all that an answer needs, and answered by one of its options", async () => {
    const asked = await ask();
    expect(asked).toEqual({
      acp_thread_id: thread,
      request_id: request,
      permission_id: expect.any(String),
      title: "rm -rf .",
      tool_name: "rm -rf .",
      options: [
        { option_id: "no", name: "No", kind: "reject_once" },
        { option_id: "always", name: "Always", kind: "allow_always" },
        { option_id: "once", name: "Once", kind: "allow_once" },
      ],
      timestamp: expect.any(Number),
    });
    const shown = desk.events.findIndex((event) => event.data["tool_status"] !== undefined && isOf(event));
    expect(desk.events.findIndex(({ data }) => data === asked)).toBeLessThan(shown);
    desk.command("answer_permission", { permission_id: asked["permission_id"], option_id: "always" });
    expect(await outcome()).toEqual(["always", ["Waiting for confirmation", "In Progress"]]);
    expect(told("permission_resolved", asked["permission_id"])).toEqual(["allowed"]);
  });

  test.each([
    ["no", "no", "Rejected", "rejected"],
    [null, "cancelled", "Canceled", "withdrawn"],
    ["an option that the agent does not have", "no", "Rejected", "rejected"],
  ])("answered with %s does not let the agent go on as if it were allowed", async (option_id, heard, status, how) => {
    const { permission_id } = await ask();
    desk.command("answer_permission", { permission_id, option_id });
    expect(await outcome()).toEqual([heard, ["Waiting for confirmation", status]]);
    expect(told("permission_resolved", permission_id)).toEqual([how]);
  });

  test("is told again on each new link until it is answered, and its end as often as it is answered", async () => {
    const { permission_id } = await ask();
    desk.host.onLink("down");
    desk.host.onLink("up");
    expect(told("permission_requested", permission_id)).toEqual(["asked", "asked"]);
    for (const option_id of ["once", "no"]) desk.command("answer_permission", { permission_id, option_id });
    expect((await outcome())[0]).toBe("once");
    desk.host.onLink("down");
    desk.host.onLink("up");
    expect(told("permission_requested", permission_id)).toHaveLength(2);
    expect(told("permission_resolved", permission_id)).toEqual(["allowed", "allowed"]);
  });

  test("that nobody knows is said to be gone", () => {
    desk.command("answer_permission", { permission_id: "nobody's", option_id: "once" });
    expect(told("permission_resolved", "nobody's")).toEqual(["gone"]);
  });

  test("that nobody answers is rejected after the host's own time", async () => {
    const { permission_id } = await ask();
    desk.world.advance(60_000);
    expect((await outcome())[0]).toBe("no");
    expect(told("permission_resolved", permission_id)).toEqual(["expired"]);
  });

  test("ends with the turn that asks", async () => {
    const { permission_id } = await ask();
    desk.command("cancel_current_turn", { request_id: request });
    await desk.ending(request);
    expect(told("permission_resolved", permission_id)).toEqual(["withdrawn"]);
  });

  test.each([
    ["allow", "once", "In Progress"],
    ["reject", "no", "Rejected"],
  ] as const)("is not told to anybody where the session's policy is to %s", async (policy, heard, status) => {
    begin(policy);
    expect(await outcome()).toEqual([heard, ["Waiting for confirmation", status]]);
    expect(desk.events.filter((event) => event.event_type === "permission_requested" && isOf(event))).toEqual([]);
  });
});
