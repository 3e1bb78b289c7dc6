import { Code, createClient } from "@connectrpc/connect";
import { type Actor, Refusal, type Role } from "@helix-zed/domain";
import { ErrorInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { Health } from "@helix-zed/gen/health/v1/health_pb.ts";
import { describe, expect, test } from "vitest";
import { tokenAuthenticator } from "./authenticate.ts";
import { actorOf } from "./call.ts";
import { collect, failureOf, startTestServer, transports } from "./testing/test-server.ts";
import { hashToken } from "./token-list.ts";
import type { KnownToken, TokenOwner } from "./tokens-file.ts";

function known(token: string, owner: TokenOwner): KnownToken {
  return { sha256: hashToken(token), owner };
}

function service(name: string, roles: readonly Role[]): TokenOwner {
  return { kind: "service", name, roles };
}

function reached(): never {
  throw new Error("the handler was reached");
}

const authenticate = tokenAuthenticator([
  known("token-of-ada", { kind: "user", name: "ada", userId: "ada", organizationId: "acme" }),
  known("token-of-bob", { kind: "user", name: "bob", userId: "bob" }),
  known("token-of-bridge", service("zed-bridge", ["runner"])),
  known("token-of-helix", service("helix", [])),
]);

function actor(headers: Record<string, string>): Actor {
  const authentication = authenticate(new Headers(headers));
  if (authentication instanceof Promise) throw new Error("A listed token needs no waiting.");
  return authentication.actor;
}

function bearer(token: string, more: Record<string, string> = {}): Record<string, string> {
  return { authorization: `Bearer ${token}`, ...more };
}

describe("a bearer token", () => {
  test("stands for its user", () => {
    expect(actor(bearer("token-of-ada"))).toEqual({ kind: "user", userId: "ada", organizationId: "acme" });
    expect(actor(bearer("token-of-bob"))).toEqual({ kind: "user", userId: "bob" });
  });

  test("stands for its service", () => {
    expect(actor(bearer("token-of-bridge"))).toEqual({ kind: "service", name: "zed-bridge", roles: ["runner"] });
  });

  test.each([
    ["is missing", {}, "TOKEN_MISSING"],
    ["is empty", { authorization: "" }, "TOKEN_MISSING"],
    ["is of another scheme", { authorization: "Basic dXNlcjpwYXNz" }, "TOKEN_MALFORMED"],
    ["is followed by something", { authorization: "Bearer token-of-ada and more" }, "TOKEN_MALFORMED"],
    ["is no token at all", { authorization: "Bearer" }, "TOKEN_MALFORMED"],
    ["is endless", { authorization: `Bearer ${"x".repeat(9_000)}` }, "TOKEN_MALFORMED"],
    ["is unknown", bearer("token-of-eve"), "TOKEN_UNKNOWN"],
    ["is the hash of one", bearer(hashToken("token-of-ada").toString("hex")), "TOKEN_UNKNOWN"],
  ])("that %s is refused with a reason of its own", (_what, headers, reason) => {
    expect(() => actor(headers)).toThrow(expect.objectContaining({ reason }));
  });

  test("is never quoted in a refusal", () => {
    for (const authorization of ["Bearer secret-value", "Basic secret-value", "secret-value"]) {
      expect(() => actor({ authorization })).toThrow(expect.not.stringContaining("secret-value"));
    }
  });
});

describe("acting for somebody", () => {
  const forAda = { "helix-user-id": "ada", "helix-organization-id": "acme" };

  test("makes a service act for the user whom it names", () => {
    expect(actor(bearer("token-of-helix", forAda))).toEqual({
      kind: "service",
      name: "helix",
      roles: [],
      actsFor: { userId: "ada", organizationId: "acme" },
    });
    expect(actor(bearer("token-of-bridge", { "helix-user-id": "bob" }))).toMatchObject({ actsFor: { userId: "bob" } });
  });

  test("is for services only", () => {
    const refused = expect.objectContaining({ reason: "ACTS_FOR_FORBIDDEN" });
    expect(() => actor(bearer("token-of-bob", forAda))).toThrow(refused);
  });

  test("is required of a service that is no runner", () => {
    expect(() => actor(bearer("token-of-helix"))).toThrow(expect.objectContaining({ reason: "ACTS_FOR_MISSING" }));
  });

  test.each([
    ["an organization without a user", { "helix-organization-id": "acme" }],
    ["a user with spaces", { "helix-user-id": "ada lovelace" }],
    ["an organization with spaces", { "helix-user-id": "ada", "helix-organization-id": "a b" }],
    ["a user without end", { "helix-user-id": "a".repeat(129) }],
  ])("is refused with %s", (_what, headers) => {
    const refused = expect.objectContaining({ reason: "ACTS_FOR_MALFORMED" });
    expect(() => actor(bearer("token-of-helix", headers))).toThrow(refused);
  });
});

describe.each(Object.entries(transports))("authentication over %s", (_name, transport) => {
  test("tells the handler who asks", async () => {
    await using server = await startTestServer(
      { getTask: (_request, context) => ({ task: { name: JSON.stringify(actorOf(context)) } }) },
      { authenticate },
    );
    const client = createClient(TaskService, transport(server.url));
    const { task } = await client.getTask({ id: "a" }, { headers: bearer("token-of-bob") });
    expect(task?.name).toBe('{"kind":"user","userId":"bob"}');
    expect(server.lines).toContainEqual(expect.objectContaining({ msg: "call", actor: "bob", code: "ok" }));
  });

  test("refuses unary calls and streams before the handler and before the request is parsed", async () => {
    await using server = await startTestServer({ getTask: reached, watchTasks: reached }, { authenticate });
    const client = createClient(TaskService, transport(server.url));
    const calls = [() => client.getTask({}), () => collect(client.watchTasks({ taskIds: [""] }))];
    for (const call of calls) {
      const error = await failureOf(call());
      expect(error.code).toBe(Code.Unauthenticated);
      expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "TOKEN_MISSING", domain: "helix-zed" }]);
    }
    expect(server.lines.filter(({ reason }) => reason === "TOKEN_MISSING")).toHaveLength(2);
  });

  test("is not asked for health", async () => {
    await using server = await startTestServer({}, { authenticate });
    await expect(createClient(Health, transport(server.url)).check({})).resolves.toMatchObject({ status: 1 });
  });
});

describe("authentication", () => {
  test("that fails itself is an internal error, not an open door", async () => {
    await using server = await startTestServer(
      { getTask: () => ({}) },
      { authenticate: () => Promise.reject(new Error("the key server is down")) },
    );
    const response = await fetch(`${server.url}/helix.task.v1.TaskService/GetTask`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"id":"a"}',
    });
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ code: "internal", message: "internal error" });
  });

  test("leaves no trace of the token in the log", async () => {
    await using server = await startTestServer(
      { getTask: () => Promise.reject(new Refusal("X", "x")) },
      { authenticate },
    );
    for (const token of ["token-of-ada", "token-of-eve"]) {
      await fetch(`${server.url}/helix.task.v1.TaskService/GetTask`, {
        method: "POST",
        headers: { "content-type": "application/json", ...bearer(token) },
        body: "{}",
      });
    }
    expect(JSON.stringify(server.lines)).not.toContain("token-of");
  });
});
