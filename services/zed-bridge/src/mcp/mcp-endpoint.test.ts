import { request as httpRequest } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { WorkSessionStatus } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closeThread } from "../application/close-thread.ts";
import { McpStage, type StagedAgent } from "../testing/mcp-stage.ts";
import { usualMcpLimits } from "./mcp-endpoint.ts";

const TOOLS = [
  "get_work_session",
  "list_work_sessions",
  "report_result",
  "send_message",
  "spawn_work_session",
  "wait_for_work_sessions",
];

let stage: McpStage;
let agent: StagedAgent;

beforeAll(async () => {
  const unhurried = { perSecond: 100_000, burst: 100_000 };
  stage = await McpStage.open({
    ...usualMcpLimits,
    calls: { ...usualMcpLimits.calls, rate: unhurried },
    body: { bytesMax: 64 * 1024, timeoutMs: 300 },
  });
  agent = await stage.agent({ taskId: "tsk_1" });
  stage.taskService.add(agent.session.workSessionId, WorkSessionStatus.ACTIVE, "tsk_1");
});

afterAll(() => stage.close());

const rpc = (method: string, params: object = {}, id: unknown = 1) => ({ jsonrpc: "2.0", id, method, params });
const initialize = (protocolVersion: string) =>
  rpc("initialize", { protocolVersion, capabilities: {}, clientInfo: { name: "test", version: "1" } });

/** What stands in an answer, which may be JSON or a stream of one event. */
async function bodyOf(response: Response): Promise<string> {
  const text = await response.text();
  return /^data: (.*)$/m.exec(text)?.[1] ?? text;
}

describe("an agent", () => {
  test.each(["legacy", "auto", { pin: "2026-07-28" }] as const)("finds the tools, introduced as %j", async (mode) => {
    const client = await stage.connect(agent.token, mode);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).toSorted()).toEqual(TOOLS);
    for (const { description = "", inputSchema } of tools) {
      expect(description.length).toBeGreaterThan(100);
      expect(inputSchema).toMatchObject({ type: "object", additionalProperties: false });
    }
    expect(client.getInstructions()).toContain("work sessions of a task");
    await client.close();
  });

  test("is answered in the version that it speaks, and in our newest if we do not know it", async () => {
    for (const version of ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]) {
      const body: unknown = JSON.parse(await bodyOf(await stage.post(agent.token, initialize(version))));
      expect(body).toMatchObject({ result: { protocolVersion: version, serverInfo: { name: "helix-zed" } } });
    }
    const unknown: unknown = JSON.parse(await bodyOf(await stage.post(agent.token, initialize("1999-01-01"))));
    expect(unknown).toMatchObject({ result: { protocolVersion: "2025-11-25" } });
  });

  test("is answered when it pings", async () => {
    const client = await stage.connect(agent.token);
    expect(await client.ping()).toEqual({});
    await client.close();
  });

  test("is told what is wrong with a call, as the tool's own answer", async () => {
    const client = await stage.connect(agent.token);
    const missing = await client.callTool({ name: "report_result", arguments: { status: "great", more: 1 } });
    expect(missing).toMatchObject({ isError: true });
    expect(JSON.stringify(missing)).toMatch(/status.*summary|summary.*status/);
    await expect(client.callTool({ name: "remember", arguments: {} })).rejects.toThrow(/remember/);
    await client.close();
  });

  test("is told in plain words that the service behind is away, and can try again", async () => {
    const client = await stage.connect(agent.token);
    await stage.taskService.stop();
    const away = await client.callTool({ name: "get_work_session", arguments: {} });
    expect(away).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining("Try again in a moment") }],
    });
    await stage.taskService.start();
    expect(await client.callTool({ name: "get_work_session", arguments: {} })).not.toHaveProperty("isError", true);
    await client.close();
  });

  test("is answered over HTTP/2 too", async () => {
    const session = connectHttp2(stage.url);
    const stream = session.request({
      ":method": "POST",
      ":path": "/mcp",
      authorization: `Bearer ${agent.token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    });
    stream.end(JSON.stringify(rpc("tools/list")));
    const text = (await Array.fromAsync(stream.setEncoding("utf8"))).join("");
    session.close();
    expect(text).toContain("spawn_work_session");
  });
});

describe("whoever has no good token", () => {
  test("is turned away with a challenge", async () => {
    const forged = await stage.post(`hzs_${stage.app.world.newSecret()}`, rpc("tools/list"));
    expect(forged.status).toBe(401);
    expect(forged.headers.get("www-authenticate")).toBe('Bearer realm="helix-zed", error="invalid_token"');
    const without = await fetch(stage.url, { method: "POST", body: "{}" });
    expect(without.status).toBe(401);
    expect(without.headers.get("www-authenticate")).toBe('Bearer realm="helix-zed"');
  });

  test("learns nothing from how it is turned away", async () => {
    const ended = await stage.agent();
    await closeThread(stage.app, { workSessionId: ended.session.workSessionId, reason: "completed" });
    const wrong = [ended.token, `hzs_${stage.app.world.newSecret()}`, "hzs_", "x".repeat(5_000), ended.token.slice(4)];
    const answers = await Promise.all(
      wrong.map(async (token) => {
        const { status, headers, body } = await stage.post(token, rpc("tools/list")).then(whole);
        return { status, headers: headers.filter(([name]) => name !== "date"), body };
      }),
    );
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  test("cannot send it in the address", async () => {
    const response = await fetch(`${stage.url}?token=${agent.token}&access_token=${agent.token}`, { method: "POST" });
    expect(response.status).toBe(401);
  });
});

async function whole(response: Response) {
  return { status: response.status, headers: [...response.headers], body: await response.text() };
}

describe("a web page", () => {
  test("of another origin may not call, even with a good token", async () => {
    for (const origin of ["https://evil.example", "null", "http://127.0.0.1.evil.example", "file://"]) {
      const response = await stage.post(agent.token, rpc("tools/list"), { origin });
      expect(response.status).toBe(403);
    }
    expect((await stage.post(agent.token, rpc("ping"), { origin: "http://localhost:6274" })).status).toBe(200);
  });
});

describe("what is no request in order", () => {
  test.each(["GET", "DELETE", "PUT", "OPTIONS", "HEAD"])("is refused: the method %s", async (method) => {
    const headers = { authorization: `Bearer ${agent.token}`, accept: "text/event-stream" };
    const response = await fetch(stage.url, { method, headers });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST");
  });

  test("is refused: another content type, another path, too much, too slow", async () => {
    expect((await stage.post(agent.token, rpc("ping"), { "content-type": "text/plain" })).status).toBe(415);
    expect((await fetch(`${stage.url}/more`, { method: "POST" })).status).toBe(404);
    expect((await stage.post(agent.token, rpc("ping", { x: "x".repeat(70_000) }))).status).toBe(413);
    expect(await slowly(stage.url, agent.token)).toBe(408);
  });

  test("never becomes a failure of ours, whatever it is", async () => {
    const anything = fc.oneof(
      fc.json(),
      fc.string(),
      fc
        .record({
          jsonrpc: fc.constantFrom("2.0", "1.0", 2),
          id: fc.jsonValue(),
          method: fc.string(),
          params: fc.jsonValue(),
        })
        .map((value) => JSON.stringify(value)),
      fc
        .record({ name: fc.constantFrom(...TOOLS, "x"), arguments: fc.jsonValue(), _meta: fc.jsonValue() })
        .map((params) => JSON.stringify(rpc("tools/call", params))),
      fc.array(fc.constantFrom(rpc("ping"), rpc("tools/list"), 1, null, {})).map((batch) => JSON.stringify(batch)),
    );
    const headers = fc.record(
      { "mcp-protocol-version": fc.string({ maxLength: 20 }), accept: fc.constantFrom("*/*", "", "text/html") },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(anything, headers, async (body, more) => {
        const visible = Object.entries(more).filter(([, value]) => /^[\x20-\x7e]*$/.test(value));
        const response = await stage.post(agent.token, body, Object.fromEntries(visible));
        await response.arrayBuffer();
        expect(response.status).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});

/** Sends half a body and waits. */
function slowly(url: string, token: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", "content-length": "100" };
    const request = httpRequest(url, { method: "POST", headers }, (response) => {
      response.resume();
      request.destroy();
      resolve(response.statusCode);
    });
    request.on("error", reject);
    request.write("{");
  });
}

describe("an agent that floods", () => {
  test("is slowed down, and nobody else is", async () => {
    const rate = { perSecond: 1, burst: 20 };
    const narrow = await McpStage.open({ ...usualMcpLimits, calls: { ...usualMcpLimits.calls, rate } });
    const [hostile, other] = [await narrow.agent(), await narrow.agent()];
    const flood = await Promise.all(
      Array.from({ length: 60 }, () => narrow.post(hostile.token, rpc("ping")).then(whole)),
    );
    const refused = flood.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(35);
    expect(refused[0]?.headers).toContainEqual(["retry-after", "1"]);
    expect(flood.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(1);
    expect((await narrow.post(other.token, rpc("ping"))).status).toBe(200);
    await narrow.close();
  });

  test("with made-up tokens reaches nothing but a look-up", async () => {
    const flood = Array.from({ length: 200 }, () => stage.post(`hzs_${stage.app.world.newSecret()}`, rpc("ping")));
    const statuses = await Promise.all(flood.map(async (each) => (await each).status));
    expect(new Set(statuses)).toEqual(new Set([401]));
    expect((await stage.post(agent.token, rpc("ping"))).status).toBe(200);
  });
});
