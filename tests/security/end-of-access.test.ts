import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { ErrorInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { type IdentityProvider, startIdentityProvider } from "@helix-zed/harness/identity-provider.ts";
import { type Json, RestClient } from "@helix-zed/harness/rest-client.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** How a watch ended, and when by this process's clock. */
interface End {
  readonly code: string;
  readonly reason: string | undefined;
  readonly atMs: number;
}

let cluster: Cluster;
let provider: IdentityProvider;

beforeAll(async () => {
  provider = await startIdentityProvider();
  const settings = { ...provider.settings, HELIX_ZED_JWT_CLOCK_SKEW_MS: "0" };
  cluster = await startCluster({ services: ["task-service", "gateway"], environment: { "task-service": settings } });
}, 60_000);

afterAll(async () => {
  await cluster.stop();
  await provider.close();
});

/** One open watch over each protocol, directly and through the gateway; given when all have begun. */
async function openWatches(token: string): Promise<Readonly<Record<string, Promise<End>>>> {
  const { taskUrl, gatewayUrl } = cluster;
  const transports = {
    gRPC: createGrpcTransport({ baseUrl: taskUrl }),
    "Connect over HTTP/2": createConnectTransport({ baseUrl: taskUrl, httpVersion: "2" }),
    "Connect through the gateway": createConnectTransport({ baseUrl: gatewayUrl, httpVersion: "1.1" }),
    "gRPC-Web through the gateway": createGrpcWebTransport({ baseUrl: gatewayUrl }),
  };
  const begun: Promise<unknown>[] = [];
  const ends = Object.entries(transports).map(([name, transport]) => {
    const first = Promise.withResolvers<undefined>();
    begun.push(first.promise);
    const headers = { authorization: `Bearer ${token}` };
    const messages = createClient(TaskService, transport).watchTasks({}, { headers });
    return [name, endOf(messages, () => first.resolve(undefined))] as const;
  });
  const first = Promise.withResolvers<undefined>();
  const events = endOfEvents(new RestClient(gatewayUrl, token), () => first.resolve(undefined));
  await Promise.all([...begun, first.promise]);
  return { ...Object.fromEntries(ends), "SSE through the gateway": events };
}

async function endOf(messages: AsyncIterable<unknown>, onMessage: (message: unknown) => void): Promise<End> {
  try {
    for await (const message of messages) onMessage(message);
    return { code: "OK", reason: undefined, atMs: Date.now() };
  } catch (error) {
    const failure = ConnectError.from(error);
    const reason = failure.findDetails(ErrorInfoSchema)[0]?.reason;
    return { code: Code[failure.code] ?? "", reason, atMs: Date.now() };
  }
}

async function endOfEvents(rest: RestClient, onEvent: () => void): Promise<End> {
  let last: Json = {};
  for await (const { event, data } of rest.watch("/api/v1/tasks:watch")) {
    if (event === "error") last = data["error"];
    onEvent();
  }
  const details: Json[] = last["details"] ?? [];
  const reason = details.find((detail) => String(detail["@type"]).endsWith("ErrorInfo"))?.["reason"];
  const code = last["status"] === "UNAUTHENTICATED" ? "Unauthenticated" : String(last["status"]);
  return { code, reason, atMs: Date.now() };
}

async function expectEnds(
  ends: Readonly<Record<string, Promise<End>>>,
  reason: string,
  sinceMs: number,
): Promise<void> {
  for (const [door, end] of Object.entries(ends)) {
    const { atMs, ...how } = await end;
    expect({ door, ...how }).toEqual({ door, code: "Unauthenticated", reason });
    expect(atMs - sinceMs, door).toBeLessThan(1_000);
  }
}

describe("an open watch", () => {
  test("ends within a second of its token's expiry, over every protocol and through the gateway", async () => {
    const exp = Math.floor(Date.now() / 1_000) + 3;
    await expectEnds(await openWatches(provider.token({ sub: "local", exp })), "TOKEN_EXPIRED", exp * 1_000);
  });

  test("ends within a second of its token being revoked, over every protocol and through the gateway", async () => {
    const token = cluster.token("other");
    const ends = await openWatches(token);
    revoke("other");
    await expectEnds(ends, "TOKEN_REVOKED", Date.now());
    expect(await new RestClient(cluster.gatewayUrl, token).get("/api/v1/tasks")).toMatchObject({ status: 401 });
    expect(await new RestClient(cluster.gatewayUrl, cluster.token("local")).get("/api/v1/tasks")).toMatchObject({
      status: 200,
    });
  });
});

async function answerTo(token: string): Promise<object> {
  const { status, body } = await new RestClient(cluster.gatewayUrl, token).get("/api/v1/tasks");
  return { status, reason: body["error"]?.["details"]?.[0]?.["reason"] };
}

describe("a service that trusts an identity provider", () => {
  test("takes its users for the same ones whom it knows by listed tokens, organizations apart", async () => {
    const local = new RestClient(cluster.gatewayUrl, cluster.token("local"));
    const { body: task } = await local.post("/api/v1/tasks", { name: "Mine", task_type: "batch" });
    const statusFor = async (claims: object): Promise<number> => {
      const rest = new RestClient(cluster.gatewayUrl, provider.token({ sub: "local", ...claims }));
      return (await rest.get(`/api/v1/tasks/${task["id"]}`)).status;
    };
    expect(await statusFor({})).toBe(200);
    expect(await statusFor({ organization_id: "acme" })).toBe(404);
    expect(await statusFor({ sub: "acme", organization_id: "local" })).toBe(404);
  });

  test("goes on with the keys that it knows while the provider is down, and puts the others off", async () => {
    const known = provider.token();
    expect(await answerTo(known)).toMatchObject({ status: 200 });
    provider.isDown = true;
    expect(await answerTo(known)).toMatchObject({ status: 200 });
    provider.rotate();
    await expect
      .poll(() => answerTo(provider.token()), { timeout: 15_000 })
      .toEqual({ status: 503, reason: "TOKEN_KEYS_UNAVAILABLE" });
    provider.isDown = false;
    await expect.poll(() => answerTo(provider.token())).toMatchObject({ status: 200 });
  });
});

/** Takes a holder's token out of the tokens file, as an operator would. */
function revoke(holder: string): void {
  const { file } = cluster.layout.tokens;
  const { tokens }: { tokens: { name: string }[] } = JSON.parse(readFileSync(file, "utf8"));
  const text = JSON.stringify({ tokens: tokens.filter(({ name }) => name !== holder) });
  writeFileSync(`${file}.next`, text, { mode: 0o600 });
  renameSync(`${file}.next`, file);
}
