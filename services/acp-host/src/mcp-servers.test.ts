import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { endHosts, HostUnderTest } from "./testing/host-under-test.ts";

afterEach(() => endHosts());

const server = (token: string) => ({
  name: "helix",
  url: "http://127.0.0.1:1/mcp",
  headers: [{ name: "Authorization", value: `Bearer ${token}` }],
});

/** What the agent of a thread says that it was given. */
async function given(desk: HostUnderTest, request: string, more: object): Promise<unknown> {
  desk.say("name servers", request, more);
  await desk.ending(request);
  return JSON.parse(desk.entries(request).at(-1) ?? "");
}

async function threadOf(desk: HostUnderTest, request: string): Promise<string> {
  const created = await desk.waitFor(
    ({ event_type: type, data }) => type === "thread_created" && data["request_id"] === request,
  );
  return String(created.data["acp_thread_id"]);
}

describe("the MCP servers of a thread", () => {
  test("reach the agent with the session that is created, as ones over HTTP", async () => {
    const desk = new HostUnderTest();
    expect(await given(desk, "R1", { mcp_servers: [server("a")] })).toEqual([{ type: "http", ...server("a") }]);
    expect(await given(desk, "R2", { mcp_servers: [server("b")] })).toEqual([{ type: "http", ...server("b") }]);
    expect(await given(desk, "R3", {})).toEqual([]);
  });

  test("are kept from an agent that takes none over HTTP, which works without them", async () => {
    const desk = new HostUnderTest({}, "no-mcp");
    expect(await given(desk, "R1", { mcp_servers: [server("a")] })).toEqual([]);
  });

  test("are kept from an agent whose sessions would share them, unless each has a process of its own", async () => {
    const sharing = new HostUnderTest({ shares_mcp_servers: true });
    expect(await given(sharing, "R1", { mcp_servers: [server("a")] })).toEqual([]);
    const apart = new HostUnderTest({ shares_mcp_servers: true, process_per_thread: true });
    expect(await given(apart, "R1", { mcp_servers: [server("a")] })).toEqual([{ type: "http", ...server("a") }]);
    expect(await given(apart, "R2", { mcp_servers: [server("b")] })).toEqual([{ type: "http", ...server("b") }]);
    const processes = await Promise.all(
      ["R1", "R2"].map(async (request) => (await threadOf(apart, request)).split("-")[1]),
    );
    expect(new Set(processes).size).toBe(2);
    const acp_thread_id = await threadOf(apart, "R1");
    expect(await given(apart, "R3", { acp_thread_id })).toEqual([{ type: "http", ...server("a") }]);
  });

  test("are given again to an agent that was started anew, without being told again", async () => {
    const desk = new HostUnderTest();
    await given(desk, "R1", { mcp_servers: [server("a")] });
    const acp_thread_id = await threadOf(desk, "R1");
    desk.say("die", "R2", { acp_thread_id });
    await desk.ending("R2");
    expect(await given(desk, "R3", { acp_thread_id })).toEqual([{ type: "http", ...server("a") }]);
  });

  test("are those of the newest command where a thread is loaded, and are not remembered by another host", async () => {
    const first = new HostUnderTest();
    await given(first, "R1", { mcp_servers: [server("a")] });
    const acp_thread_id = await threadOf(first, "R1");
    const told = new HostUnderTest({}, "", first.folders);
    told.command("open_thread", { acp_thread_id, request_id: "O1", mcp_servers: [server("b")] });
    await told.waitFor(({ event_type: type }) => type === "agent_ready");
    expect(await given(told, "R2", { acp_thread_id })).toEqual([{ type: "http", ...server("b") }]);
    const untold = new HostUnderTest({}, "", first.folders);
    expect(await given(untold, "R3", { acp_thread_id })).toEqual([]);
  });

  test("are written nowhere by the host", async () => {
    const desk = new HostUnderTest();
    desk.say("hello", "R1", { mcp_servers: [server("very-secret-token")] });
    await desk.ending("R1");
    const { dataDir } = desk.folders;
    const files = readdirSync(dataDir, { recursive: true, encoding: "utf8" }).map((name) => join(dataDir, name));
    const texts = files.filter((file) => statSync(file).isFile()).map((file) => readFileSync(file, "utf8"));
    expect(texts.length).toBeGreaterThan(0);
    expect(texts.join("\n")).not.toContain("very-secret-token");
  });
});
