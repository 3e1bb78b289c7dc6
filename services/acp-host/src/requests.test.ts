import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { endHosts, HostUnderTest } from "./testing/host-under-test.ts";

// A server that is not sure sends a request again. How often the agent has heard it is in the agent's own file.

afterEach(endHosts);

/** How often the agent has been asked this, in whichever life of it. */
function timesAsked(host: HostUnderTest, prompt: string): number {
  const lines = readFileSync(join(host.folders.dataDir, "home", "history.txt"), "utf8").split("\n");
  return lines.filter((line) => line.slice(line.indexOf(" ") + 1) === prompt).length;
}

function typesOf(host: HostUnderTest, request: string): string[] {
  return host.events.filter(({ data }) => data["request_id"] === request).map((event) => event.event_type);
}

describe("a request that comes again", () => {
  test("while it runs, or while it waits, is run once", async () => {
    const host = new HostUnderTest();
    const acp_thread_id = await host.thread();
    host.say("wait for cancel", "R1", { acp_thread_id });
    host.say("next", "R2", { acp_thread_id });
    await host.saying("R1");
    host.say("wait for cancel", "R1", { acp_thread_id });
    host.say("next", "R2", { acp_thread_id, attempt: 2 });
    host.command("cancel_current_turn", { request_id: "R1" });
    await host.ending("R2");
    expect([timesAsked(host, "wait for cancel"), timesAsked(host, "next")]).toEqual([1, 1]);
    expect(typesOf(host, "R1").filter((type) => type === "message_completed")).toHaveLength(1);
  });

  test("after it was answered is told once more, and not asked", async () => {
    const host = new HostUnderTest();
    const acp_thread_id = await host.thread();
    host.say("again", "R1", { acp_thread_id });
    await host.ending("R1");
    host.events.length = 0;
    for (const attempt of [1, 2]) host.say("again", "R1", { acp_thread_id, attempt });
    await host.ending("R1");
    expect(host.entries("R1")).toEqual(["heard again"]);
    expect(timesAsked(host, "again")).toBe(1);
  });

  test("after it has failed says so once more, and is run only as a further attempt", async () => {
    const host = new HostUnderTest();
    const acp_thread_id = await host.thread();
    host.say("refuse", "R1", { acp_thread_id });
    const first = await host.ending("R1");
    host.events.length = 0;
    host.say("refuse", "R1", { acp_thread_id });
    expect(await host.ending("R1")).toEqual(first);
    expect(timesAsked(host, "refuse")).toBe(1);
    host.events.length = 0;
    host.say("refuse", "R1", { acp_thread_id, attempt: 2 });
    await host.ending("R1");
    expect(timesAsked(host, "refuse")).toBe(2);
  });

  test("after a restart of the host, having been answered, is told from the thread's history", async () => {
    const first = new HostUnderTest();
    const acp_thread_id = await first.thread();
    first.say("again", "R1", { acp_thread_id });
    await first.ending("R1");
    const second = new HostUnderTest({}, "", first.folders);
    second.say("again", "R1", { acp_thread_id, attempt: 2 });
    expect(await second.ending("R1")).toMatchObject({ event_type: "message_completed" });
    expect(second.entries("R1")).toEqual(["heard again"]);
    expect(timesAsked(second, "again")).toBe(1);
  });

  test("after a restart, having been under way, is run anew: who began it is dead", async () => {
    const first = new HostUnderTest();
    const acp_thread_id = await first.thread();
    first.say("wait for cancel", "R1", { acp_thread_id });
    await first.saying("R1");
    const second = new HostUnderTest({}, "", first.folders);
    second.say("wait for cancel", "R1", { acp_thread_id, attempt: 2 });
    await second.saying("R1");
    expect(timesAsked(second, "wait for cancel")).toBe(2);
  });

  test("and had begun a thread does not begin another", async () => {
    const first = new HostUnderTest();
    const thread = await first.thread("R1");
    const second = new HostUnderTest({}, "", first.folders);
    second.say("hello", "R1", { attempt: 2 });
    await second.ending("R1");
    const created = second.events.filter((event) => event.event_type === "thread_created");
    expect(created).toMatchObject([{ data: { acp_thread_id: thread, request_id: "R1" } }]);
    expect(timesAsked(second, "hello")).toBe(1);
  });

  test("and whose thread the agent has lost begins another", async () => {
    const first = new HostUnderTest();
    const thread = await first.thread("R1");
    const second = new HostUnderTest({}, "forgets", first.folders);
    second.say("hello", "R1", { attempt: 2 });
    await second.ending("R1");
    const [created] = second.events.filter((event) => event.event_type === "thread_created");
    expect(created?.data["acp_thread_id"]).not.toBe(thread);
  });
});
