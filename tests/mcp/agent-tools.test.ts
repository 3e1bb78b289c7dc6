import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { answerIn, Crew } from "./crew.ts";

let cluster: Cluster;
const crews: Crew[] = [];

beforeAll(async () => {
  cluster = await startCluster({ environment: { "zed-bridge": { ZED_LAUNCHER: "external" } } });
}, 60_000);

afterEach(async () => {
  await Promise.all(crews.splice(0).map((crew) => crew.leave()));
});

afterAll(() => cluster.stop());

async function gather(names: readonly string[] = ["Lead"], holder: "local" | "other" = "local"): Promise<Crew> {
  const crew = await Crew.gather(cluster, names, holder);
  crews.push(crew);
  return crew;
}

describe("spawn_work_session", () => {
  test("makes a session of the same kind in the same folder that names who asked for it", async () => {
    const crew = await gather();
    const lead = await crew.next();
    const { value } = await lead.use("spawn_work_session", { name: "Tests", instructions: "Write the tests" });
    expect(value).toMatchObject({ name: "Tests", agent_type: "zed_agent", status: "pending" });
    const [own] = await crew.sessions();
    expect(await crew.session(value["id"])).toMatchObject({
      task_id: crew.task["id"],
      description: "Write the tests",
      spawned_by_session_id: own?.["helix_session_id"],
      parent_work_session_id: own?.["id"],
      user_id: "local",
    });
    expect((await crew.next()).prompt).toBe("Write the tests");
  });

  test("gives the same session again for the same call in the same turn, at once or later", async () => {
    const crew = await gather();
    const lead = await crew.next();
    const call = () => lead.use("spawn_work_session", { name: "Tests", instructions: "Write the tests" });
    const answers = await Promise.all([call(), call(), call()]);
    const ids = [...answers, await call()].map(({ value }) => String(value["id"]));
    expect(new Set(ids).size).toBe(1);
    const other = await lead.use("spawn_work_session", { name: "More tests", instructions: "Write the tests" });
    expect(ids).not.toContain(other.value["id"]);
    expect(await crew.sessions()).toHaveLength(3);
  });

  test("says why it cannot: an agent type that nobody knows, and too deep a descent", async () => {
    const crew = await gather();
    let agent = await crew.next();
    const unknown = await agent.use("spawn_work_session", { name: "X", instructions: "X", agent_type: "zed_nobody" });
    expect(unknown.refusal).toMatch(/^agent_type: must be one of .*zed_agent.*\(AGENT_TYPE_UNKNOWN\)$/);
    for (let depth = 1; depth <= 10; depth++) {
      const { refusal } = await agent.use("spawn_work_session", { name: `Level ${depth}`, instructions: "Go deeper" });
      expect(refusal).toBe("");
      agent = await crew.next();
    }
    const { refusal } = await agent.use("spawn_work_session", { name: "Level 11", instructions: "Go deeper" });
    expect(refusal).toBe("A work session descends from at most 10 others. (SPAWN_TOO_DEEP)");
  });
});

describe("list_work_sessions and get_work_session", () => {
  test("tell of the sessions of the task, which of them one is, and of no others", async () => {
    const crew = await gather(["Lead", "Helper"]);
    const [first, second] = [await crew.next(), await crew.next()];
    const lead = first.prompt === "Lead" ? first : second;
    await lead.use("spawn_work_session", { name: "Tests", instructions: "Write the tests" });
    const { value } = await lead.use("list_work_sessions");
    expect(value).toMatchObject({
      total: 3,
      work_sessions: [{ name: "Lead", is_you: true }, { name: "Helper" }, { name: "Tests", spawned_by_you: true }],
    });
    expect((await lead.use("list_work_sessions", { spawned_by_you: true })).value).toMatchObject({ total: 1 });
    expect((await lead.use("get_work_session")).value).toMatchObject({ name: "Lead", instructions: "Lead" });
  });

  test("know nothing of another task, be it of the same user or of another", async () => {
    const crew = await gather();
    const lead = await crew.next();
    const strangers = [await gather(["Own other"]), await gather(["Somebody's"], "other")];
    for (const stranger of strangers) {
      const [session] = await stranger.sessions();
      const id = String(session?.["id"]);
      const nothing = `There is no work session ${id} in this task. (WORK_SESSION_NOT_FOUND)`;
      expect((await lead.use("get_work_session", { work_session_id: id })).refusal).toBe(nothing);
      expect((await lead.use("send_message", { work_session_id: id, message: "Hello" })).refusal).toBe(nothing);
      const waited = await lead.use("wait_for_work_sessions", { work_session_ids: [id] });
      expect(waited.refusal).toBe(`These are no work sessions of this task: ${id}. (WORK_SESSION_NOT_FOUND)`);
      expect(stranger.editor.untaken.filter(({ type }) => type === "chat_message")).toHaveLength(1);
    }
  });
});

describe("wait_for_work_sessions", () => {
  test("answers with the result as soon as the session has ended", async () => {
    const crew = await gather();
    const lead = await crew.next();
    await lead.use("spawn_work_session", { name: "Tests", instructions: "Write the tests" });
    const waiting = lead.use("wait_for_work_sessions", { timeout_seconds: 60 });
    (await crew.next()).finish("They are written.");
    expect((await waiting).value).toMatchObject({
      complete: true,
      ended: [{ name: "Tests", status: "completed", summary: "They are written." }],
      still_running: [],
    });
  });

  test("answers with what has ended when its time is up, and can be taken up again", async () => {
    const crew = await gather();
    const lead = await crew.next();
    for (const name of ["Quick", "Slow"]) await lead.use("spawn_work_session", { name, instructions: name });
    const [one, two] = [await crew.next(), await crew.next()];
    const [quick, slow] = one.prompt === "Quick" ? [one, two] : [two, one];
    quick.finish("Quick is done.");
    expect((await lead.use("wait_for_work_sessions", { until: "any", timeout_seconds: 60 })).value).toMatchObject({
      complete: true,
      ended: [{ name: "Quick" }],
      still_running: [{ name: "Slow" }],
    });
    expect((await lead.use("wait_for_work_sessions", { timeout_seconds: 1 })).value).toMatchObject({
      complete: false,
      ended: [{ name: "Quick", summary: "Quick is done." }],
      still_running: [{ name: "Slow", status: "active" }],
    });
    slow.finish("Slow is done.");
    const all = await lead.use("wait_for_work_sessions", { timeout_seconds: 60 });
    expect(all.value).toMatchObject({ complete: true, still_running: [] });
  });

  test("tells of its progress, ever further, to whoever wants to know", async () => {
    const crew = await gather();
    const lead = await crew.next();
    await lead.use("spawn_work_session", { name: "Tests", instructions: "Write the tests" });
    const told: { progress: number; total?: number | undefined; message?: string | undefined }[] = [];
    const client = await lead.client();
    await client.callTool(
      { name: "wait_for_work_sessions", arguments: { timeout_seconds: 6 } },
      { timeout: 30_000, onprogress: (progress) => told.push(progress) },
    );
    expect(told[0]).toMatchObject({
      total: 6,
      message: expect.stringMatching(/^0 of 1 have ended; waiting for Tests/),
    });
    expect(told.map(({ progress }) => progress)).toEqual(
      told.map(({ progress }) => progress).toSorted((a, b) => a - b),
    );
  }, 30_000);

  test("ends when the call is cancelled: an agent that gave up many waits can still ask", async () => {
    const crew = await gather();
    const lead = await crew.next();
    await lead.use("spawn_work_session", { name: "Tests", instructions: "Write the tests" });
    const client = await lead.client();
    const givingUp = new AbortController();
    const wait = { name: "wait_for_work_sessions", arguments: { timeout_seconds: 500 } };
    const begin = (): Promise<unknown> => client.callTool(wait, { signal: givingUp.signal, timeout: 60_000 });
    const waits = Array.from({ length: 16 }, () => Promise.allSettled([begin()]));
    await eventually("as many calls as there may be", () => {
      // One may have been refused because the question below had its place.
      waits.push(Promise.allSettled([begin()]));
      return isRefused(() => lead.use("list_work_sessions"));
    });
    givingUp.abort();
    await Promise.all(waits);
    const answer = await eventually("room for another call", () => lead.use("list_work_sessions").catch(() => null));
    expect(answer.value).toMatchObject({ total: 2 });
  });

  test("refuses what would never end: one's own session, and none at all", async () => {
    const crew = await gather();
    const lead = await crew.next();
    const [own] = await crew.sessions();
    const itself = await lead.use("wait_for_work_sessions", { work_session_ids: [String(own?.["id"])] });
    expect(itself.refusal).toContain("WAIT_FOR_ITSELF");
    expect((await lead.use("wait_for_work_sessions")).refusal).toContain("NOTHING_TO_WAIT_FOR");
  });
});

async function isRefused(call: () => Promise<unknown>): Promise<boolean> {
  return call().then(
    () => false,
    () => true,
  );
}

describe("send_message", () => {
  test("reaches the other session as its next turn, says who speaks, and comes once until it is answered", async () => {
    const crew = await gather(["Lead", "Helper"]);
    const [one, two] = [await crew.next(), await crew.next()];
    const [lead, helper] = one.prompt === "Lead" ? [one, two] : [two, one];
    const sessions = await crew.sessions();
    const [own, other] = sessions.map(({ id }) => String(id));
    helper.finish("Ready.");
    const say = () => lead.use("send_message", { work_session_id: other, message: "Go on" });
    for (const { refusal } of await Promise.all([say(), say()])) expect(refusal).toBe("");
    const again = await crew.next();
    expect(again.prompt).toBe(`Message from the work session "Lead" (${own}):\n\nGo on`);
    expect(again.thread).toBe(helper.thread);
    await say();
    again.finish("I went on.");
    await eventually("the answer to count", async () => {
      const read = await lead.use("send_message", { work_session_id: other, message: "Go on" });
      return read.value["message_status"] !== "completed";
    });
    expect((await crew.next()).prompt).toContain("Go on");
  });

  test("refuses to speak to oneself, and to a session that has ended", async () => {
    const crew = await gather();
    const lead = await crew.next();
    const [own] = await crew.sessions();
    const itself = await lead.use("send_message", { work_session_id: String(own?.["id"]), message: "Hello" });
    expect(itself.refusal).toContain("MESSAGE_TO_ITSELF");
    const { value } = await lead.use("spawn_work_session", { name: "Tests", instructions: "Write the tests" });
    (await crew.next()).finish("Done.");
    await lead.use("wait_for_work_sessions", { timeout_seconds: 60 });
    const ended = await lead.use("send_message", { work_session_id: value["id"], message: "More" });
    expect(ended.refusal).toMatch(/THREAD_ENDED|WORK_SESSION_ENDED/);
  });
});

describe("report_result", () => {
  test("ends the session as reported when its turn ends, and with it the token", async () => {
    const crew = await gather();
    const lead = await crew.next();
    const reported = await lead.use("report_result", { status: "failed", summary: "The tests cannot run here." });
    expect(reported.value).toEqual({ reported: "failed", session_ends: "when this turn ends" });
    const id = String((await crew.sessions())[0]?.["id"]);
    expect(await crew.session(id)).toMatchObject({ status: "active" });
    lead.finish("Good bye.");
    const ended = await eventually("the end", async () => {
      const session = await crew.session(id);
      return session["status"] === "active" ? null : session;
    });
    expect(ended).toMatchObject({
      status: "failed",
      status_reason: "REPORTED_BY_AGENT",
      result: { error: "The tests cannot run here." },
    });
    await expect(lead.use("list_work_sessions")).rejects.toThrow(/401|token is not good/);
  });
});

describe("a session that somebody else has ended", () => {
  test("leaves its agent without a token, and its wait without an end of its own", async () => {
    const crew = await gather();
    const lead = await crew.next();
    await lead.use("spawn_work_session", { name: "Tests", instructions: "Write the tests" });
    const waiting = lead.use("wait_for_work_sessions", { timeout_seconds: 500 });
    const id = String((await crew.sessions())[0]?.["id"]);
    await crew.cancel(id);
    expect((await waiting).value).toMatchObject({ complete: false });
    await eventually("the token to be good no more", () => isRefused(() => lead.use("list_work_sessions")));
  });
});

describe("a bridge that is told to stop", () => {
  test("lets agents that wait have what there is, and those that come again when it is back wait on", async () => {
    const crew = await gather();
    const lead = await crew.next();
    await lead.use("spawn_work_session", { name: "Tests", instructions: "Write the tests" });
    await crew.next();
    const begun = Promise.withResolvers<void>();
    const waiting = (await lead.client()).callTool(
      { name: "wait_for_work_sessions", arguments: { timeout_seconds: 500 } },
      { timeout: 60_000, onprogress: () => begun.resolve() },
    );
    await begun.promise;
    await cluster.service("zed-bridge").restart("SIGTERM");
    expect(answerIn(await waiting).value).toMatchObject({ complete: false, still_running: [{ name: "Tests" }] });
    const again = await lead.use("wait_for_work_sessions", { timeout_seconds: 1 });
    expect(again.value).toMatchObject({ complete: false, still_running: [{ name: "Tests" }] });
  }, 60_000);
});

describe("a bridge that was killed", () => {
  test("serves the same agents with the same tokens when it is back", async () => {
    const crew = await gather();
    const lead = await crew.next();
    const spawned = await lead.use("spawn_work_session", { name: "Tests", instructions: "Write the tests" });
    await cluster.service("zed-bridge").restart("SIGKILL");
    const { value } = await lead.use("list_work_sessions", { spawned_by_you: true });
    expect(value).toMatchObject({ work_sessions: [{ id: spawned.value["id"] }] });
  }, 60_000);
});
