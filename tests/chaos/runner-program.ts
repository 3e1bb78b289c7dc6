// A small runner, as a process of its own: it claims what it can, says so, and reports an end when it is told to.
//
//   stdout, a line each   {"claimed": id, "epoch": n}   {"lost": id}   {"reported": id, "code": 0 or Connect's, "reason": …}
//   stdin, a line each    the id of a session: report that it is completed, under the epoch it was claimed under
//   SIGTERM               gives back what it holds, and ends

import { createInterface } from "node:readline";
import { type Client, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { systemWorld } from "@helix-zed/domain";
import { ErrorInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import { RunnerService } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import { WorkSessionStatus } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { startRunner } from "@helix-zed/runner";

const [baseUrl = "", token = "", name = "", renewIntervalMs = ""] = process.argv.slice(2);

const authorize: Interceptor = (next) => (request) => {
  request.header.set("authorization", `Bearer ${token}`);
  return next(request);
};
const transport = createConnectTransport({ baseUrl, httpVersion: "2", interceptors: [authorize] });
const workSessions = createClient(WorkSessionService, transport);
const epochs = new Map<string, bigint>();

const runner = startRunner({
  name,
  agentTypes: ["simple"],
  workSessions,
  runners: createClient(RunnerService, transport),
  world: systemWorld(),
  renewIntervalMs: Number(renewIntervalMs),
  onProblem: ({ doing, error }) => process.stderr.write(`${name}, ${doing}: ${String(error)}\n`),
  handler: {
    claimed: async ({ workSession: { id } }, epoch) => {
      epochs.set(id, epoch);
      await workSessions.updateWorkSessionStatus({ id, status: WorkSessionStatus.ACTIVE, leaseEpoch: epoch });
      say({ claimed: id, epoch: Number(epoch) });
    },
    lost: async (id) => say({ lost: id }),
    ended: async (id) => say({ ended: id }),
    synced: async () => say({ synced: name }),
  },
});

createInterface(process.stdin).on("line", (id) => void report(workSessions, id));
process.once("SIGTERM", () => void runner.stop().then(() => process.exit(0)));

async function report(client: Client<typeof WorkSessionService>, id: string): Promise<void> {
  const leaseEpoch = epochs.get(id) ?? 0n;
  const request = { id, status: WorkSessionStatus.COMPLETED, leaseEpoch, result: { summary: `by ${name}` } };
  try {
    await client.updateWorkSessionStatus(request);
    say({ reported: id, code: 0 });
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    say({ reported: id, code: error.code, reason: error.findDetails(ErrorInfoSchema)[0]?.reason });
  }
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
