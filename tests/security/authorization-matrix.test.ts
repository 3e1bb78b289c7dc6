// Every RPC × who calls × whether what they ask for exists. The RPCs come from the generated descriptors, so a new one has
// no entry, its cells stay uncovered, and the last test fails.

import {
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  type JsonValue,
  toJson,
} from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { ErrorInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import { RunnerService } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import { TaskType } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { ZedInstanceService } from "@helix-zed/gen/helix/zed/v1/zed_instance_service_pb.ts";
import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { type IdentityProvider, startIdentityProvider } from "@helix-zed/harness/identity-provider.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ourServices } from "../harness/our-services.ts";
import { entries, type Entry, type Target } from "./authorization-entries.ts";

const CALLERS = ["none", "malformed", "expired", "wrong audience", "other tenant", "allowed"] as const;
const PRESENCES = ["existing", "absent"] as const;
type Caller = (typeof CALLERS)[number];

/** What a call came to: its code, and all that the caller was shown. */
interface Outcome {
  readonly code: string;
  readonly reason: string;
  readonly shown: string;
}

/** Why a token is no key to any door. */
const rejections: Readonly<Partial<Record<Caller, string>>> = {
  none: "TOKEN_MISSING",
  malformed: "TOKEN_MALFORMED",
  expired: "TOKEN_EXPIRED",
  "wrong audience": "TOKEN_AUDIENCE_WRONG",
};

const methods = (await ourServices()).flatMap((service: DescService) => service.methods);
const byName = new Map(methods.map((method) => [nameOf(method), method]));
const covered = new Set<string>();

let cluster: Cluster;
let provider: IdentityProvider;
let withThread: Target;

beforeAll(async () => {
  provider = await startIdentityProvider();
  const { settings } = provider;
  cluster = await startCluster({ environment: { "task-service": settings, "zed-bridge": settings } });
  withThread = await makeThread();
}, 90_000);

afterAll(async () => {
  await cluster.stop();
  await provider.close();
});

describe.each(CALLERS)("a caller: %s", (caller) => {
  test.each(Object.entries(entries))("%s", async (name, entry) => {
    const method = byName.get(name);
    if (method === undefined) throw new Error(`There is no RPC ${name} any more.`);
    const targets = { existing: await targetFor(method), absent: nowhere() };
    const outcomes = {
      existing: await call(method, entry, { caller, target: targets.existing }),
      absent: await call(method, entry, { caller, target: targets.absent }),
    };
    judge(entry, caller, { targets, outcomes });
    for (const presence of PRESENCES) covered.add(cell(name, caller, presence));
  });
});

describe("a user without the role of a runner", () => {
  const forRunners = Object.entries(entries).filter(([, { caller }]) => caller === "runner");
  test.each(forRunners)("is kept from %s, whosever the session is", async (name, entry) => {
    const method = byName.get(name);
    if (method === undefined) throw new Error(`There is no RPC ${name} any more.`);
    for (const target of [await targetFor(method), nowhere()]) {
      const outcome = await call(method, { ...entry, caller: "user" }, { caller: "allowed", target });
      expect(outcome).toMatchObject({ code: "PermissionDenied", reason: "RUNNER_ROLE_REQUIRED" });
    }
  });
});

describe("the authorization matrix", () => {
  test("covers every RPC, every kind of caller, and what exists and what does not", () => {
    const cells = [...byName.keys()].flatMap((name) =>
      CALLERS.flatMap((caller) => PRESENCES.map((presence) => cell(name, caller, presence))),
    );
    expect(cells.filter((each) => !covered.has(each))).toEqual([]);
    expect(cells.length).toBeGreaterThan(200);
  });
});

interface Compared<T> {
  readonly existing: T;
  readonly absent: T;
}

function judge(
  { absent, refusals = [] }: Entry,
  caller: Caller,
  { targets, outcomes }: { readonly targets: Compared<Target>; readonly outcomes: Compared<Outcome> },
): void {
  const rejection = rejections[caller];
  if (rejection !== undefined) {
    expect(outcomes.existing).toMatchObject({ code: "Unauthenticated", reason: rejection });
    expect(outcomes.absent).toEqual(outcomes.existing);
    return;
  }
  const notFound = absent === null ? { code: "OK" } : { code: "NotFound", reason: absent };
  expect(outcomes.absent).toMatchObject(notFound);
  if (caller === "allowed") {
    if (!refusals.includes(outcomes.existing.reason)) expect(outcomes.existing).toMatchObject({ code: "OK" });
    return;
  }
  expect(outcomes.existing).toMatchObject(notFound);
  // To somebody else it is not there: the two answers differ in the ids that were asked for, and in nothing else.
  if (absent !== null)
    expect(anonymous(outcomes.existing, targets.existing)).toEqual(anonymous(outcomes.absent, targets.absent));
  else expect(outcomes.existing.shown).not.toContain(targets.existing.taskId);
}

function anonymous(outcome: Outcome, { taskId, sessionId, instanceId }: Target): Outcome {
  const ids = [taskId, sessionId, instanceId].filter((id) => id !== "");
  const shown = ids.reduce((text, id) => text.replaceAll(id, "ID"), outcome.shown);
  return { ...outcome, shown };
}

function cell(name: string, caller: Caller, presence: (typeof PRESENCES)[number]): string {
  return `${name} × ${caller} × ${presence}`;
}

function nameOf(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

async function call(
  method: DescMethod,
  entry: Entry,
  { caller, target }: { readonly caller: Caller; readonly target: Target },
): Promise<Outcome> {
  const transport = transportTo(isOfBridge(method) ? cluster.bridgeUrl : cluster.taskUrl);
  try {
    const shown = await answerTo(transport, method, {
      headers: headersOf[caller](entry.caller),
      request: entry.request(target),
    });
    return { code: "OK", reason: "", shown: JSON.stringify(shown) };
  } catch (error) {
    const failure = ConnectError.from(error);
    const [info] = failure.findDetails(ErrorInfoSchema);
    const details = failure.details.map((detail) => ("debug" in detail ? detail.debug : null));
    const shown = JSON.stringify([failure.rawMessage, details]);
    return { code: Code[failure.code] ?? "", reason: info?.reason ?? "", shown };
  }
}

/** The answer, or the first message of a stream. */
async function answerTo(
  transport: Transport,
  method: DescMethod,
  { headers, request }: { readonly headers: Headers; readonly request: Record<string, unknown> },
): Promise<JsonValue> {
  if (isUnary(method)) {
    const { message } = await transport.unary(method, undefined, 10_000, headers, request);
    return toJson(method.output, message);
  }
  if (!isServerStream(method)) throw new Error(`${method.name} streams in another way.`);
  const hangUp = new AbortController();
  const input = (async function* () {
    yield request;
  })();
  const { message } = await transport.stream(method, hangUp.signal, 10_000, headers, input);
  for await (const first of message) {
    hangUp.abort();
    return toJson(method.output, first);
  }
  return null;
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

function isServerStream(method: DescMethod): method is DescMethodServerStreaming {
  return method.methodKind === "server_streaming";
}

/** What each kind of caller shows. The user local is known by a listed token too: it is one user. */
const headersOf: Readonly<Record<Caller, (kind: Entry["caller"]) => Headers>> = {
  none: () => new Headers(),
  malformed: () => bearer("eyJhbGciOiJFUzI1NiJ9.not-a.token"),
  expired: () => bearer(provider.token({ sub: "local", exp: Math.floor(Date.now() / 1_000) - 60 })),
  "wrong audience": () => bearer(provider.token({ sub: "local", aud: "somebody else" })),
  "other tenant": (kind) =>
    kind === "runner"
      ? bearer(cluster.token("zed-bridge"), { "helix-user-id": "somebody-else" })
      : bearer(cluster.token("other")),
  allowed: (kind) => bearer(kind === "runner" ? cluster.token("zed-bridge") : provider.token({ sub: "local" })),
};

function bearer(token: string, more = {}): Headers {
  return new Headers({ authorization: `Bearer ${token}`, ...more });
}

function isOfBridge({ parent }: DescMethod): boolean {
  return parent.typeName.startsWith("helix.zed.");
}

function transportTo(baseUrl: string): Transport {
  return createConnectTransport({ baseUrl, httpVersion: "1.1" });
}

function localCalls(baseUrl: string) {
  const authorization = `Bearer ${cluster.token("local")}`;
  return createConnectTransport({
    baseUrl,
    httpVersion: "1.1",
    interceptors: [(next) => (request) => (request.header.set("authorization", authorization), next(request))],
  });
}

/** Something of the user local that nobody has touched yet; for the bridge the one thread that there is. */
async function targetFor(method: DescMethod): Promise<Target> {
  if (isOfBridge(method)) return withThread;
  const { taskId, sessionId } = await makeTask({ workSessions: [{ name: "a", agentType: "simple" }] });
  const target = { taskId, sessionId, instanceId: "", epoch: 1n };
  if (method.parent.typeName === RunnerService.typeName && method.name !== "ClaimWorkSession") await claim(sessionId);
  return target;
}

async function makeTask(more: object): Promise<{ taskId: string; sessionId: string }> {
  const transport = localCalls(cluster.taskUrl);
  const { task } = await createClient(TaskService, transport).createTask({
    name: "A",
    taskType: TaskType.CODING_SESSION,
    ...more,
  });
  const taskId = task?.id ?? "";
  const { workSessions } = await createClient(WorkSessionService, transport).listWorkSessions({ taskId });
  return { taskId, sessionId: workSessions[0]?.id ?? "" };
}

async function claim(id: string): Promise<void> {
  const headers = { authorization: `Bearer ${cluster.token("zed-bridge")}` };
  const runners = createClient(RunnerService, transportTo(cluster.taskUrl));
  await runners.claimWorkSession({ id, runner: "matrix" }, { headers });
}

async function makeThread(): Promise<Target> {
  const target = await makeTask({ projectPath: cluster.makeRepository("matrix") });
  const instances = createClient(ZedInstanceService, localCalls(cluster.bridgeUrl));
  const instanceId = await eventually("the task has an instance", async () => {
    const { zedInstances } = await instances.listZedInstances({ taskId: target.taskId });
    return zedInstances[0]?.id;
  });
  return { ...target, instanceId, epoch: 1n };
}

function nowhere(): Target {
  const zeros = "0".repeat(32);
  return { taskId: `tsk_${zeros}`, sessionId: `ws_${zeros}`, instanceId: `zed_${zeros}`, epoch: 1n };
}
