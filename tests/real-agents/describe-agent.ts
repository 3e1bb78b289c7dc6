// What every agent must do, whichever it is: one table of cases, run through the whole system with a real process of the
// agent and a scripted model behind it.
//
// The cases share one agent process, in this order, because an agent takes its time to start. Each has sessions of its
// own; those that kill something come last.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import type { AgentProfile } from "./agent-profile.ts";
import { AgentStage } from "./agent-stage.ts";
import type { RealSession } from "./real-session.ts";

/** A case: a promise in plain words, and the proof. */
type Case = readonly [promise: string, prove: (stage: AgentStage) => Promise<void>];

const SLOWEST_MS = 480_000;
const allow = { permission_policy: "allow" };

const cases: readonly Case[] = [
  [
    "writes the file that a first prompt asks for, and tells what it did",
    async (stage) => {
      const session = await stage.begin("Add a profile page [demo: file created.md]", allow);
      expect(await session.ended(1)).toMatchObject({ status: "completed", attempt: 1 });
      expect(stage.file("created.md")).toContain("the demo model");
      const entries = await session.entries();
      expect(entries[0]).toMatchObject({ role: "user", position: 0 });
      expect(entries.filter(({ type }) => type === "tool_call")).toMatchObject([{ tool_status: "Completed" }]);
      expect(await session.answerOf(1)).toMatch(/Done\. created\.md/);
    },
  ],
  [
    "hears a follow-up in the same conversation",
    async (stage) => {
      const session = await stage.begin("Remember the fox [demo: no-tool]");
      await session.ended(1);
      const thread = (await session.thread())["zed_thread_id"];
      await session.say("Explain the hedgehog [demo: no-tool]");
      expect(await session.ended(2)).toMatchObject({ status: "completed" });
      expect(await session.answerOf(2)).toContain("Explain the hedgehog");
      expect((await session.thread())["zed_thread_id"]).toBe(thread);
      expectRemembered(stage, "hedgehog", "fox");
    },
  ],
  [
    "stops when it is cancelled, and hears the next prompt",
    async (stage) => {
      const session = await stage.begin("Take long [demo: hold cancelled]", allow);
      await session.heard(1);
      await session.cancel();
      expect(await session.ended(1)).toMatchObject({ status: "interrupted", status_reason: "CANCELLED" });
      await session.say("And now this [demo: no-tool]");
      expect(await session.ended(2)).toMatchObject({ status: "completed" });
      expect(await session.answerOf(2)).toContain("And now this");
    },
  ],
  [
    "is interrupted by a message that says so",
    async (stage) => {
      const session = await stage.begin("Take long [demo: hold interrupted]", allow);
      await session.heard(1);
      await session.say("Rather this [demo: no-tool]", { interrupt: true });
      expect(await session.ended(2)).toMatchObject({ status: "completed" });
      const [first] = await session.turns();
      expect(first).toMatchObject({ status: "interrupted", status_reason: "INTERRUPTED_BY_MESSAGE" });
      expect(await session.answerOf(2)).toContain("Rather this");
    },
  ],
  [
    "holds two conversations at once in one process",
    async (stage) => {
      const held = await stage.begin("Take long [demo: hold first]", allow);
      await held.heard(1);
      const other = await stage.begin("Be quick [demo: no-tool]");
      expect(await other.ended(1)).toMatchObject({ status: "completed" });
      stage.cluster.model.release("first");
      expect(await held.ended(1)).toMatchObject({ status: "completed" });
      const threads = [await held.thread(), await other.thread()];
      expect(new Set(threads.map((thread) => thread["zed_thread_id"])).size).toBe(2);
      expect(new Set(threads.map((thread) => thread["zed_session_id"])).size).toBe(1);
      expect(await stage.agentGroups()).toHaveLength(1);
    },
  ],
  [
    "uses the tools of the bridge for its own session: it hands work on, and waits for it in the same process",
    async (stage) => {
      const spawn = `[demo: call spawn_work_session {"name": "Helper", "instructions": "Help [demo: no-tool]"}]`;
      const wait = `[demo: call wait_for_work_sessions {"timeout_seconds": 200}]`;
      const session = await stage.begin(`Hand on ${spawn} ${wait}`, allow);
      expect(await session.ended(1)).toMatchObject({ status: "completed" });
      const answer = await session.answerOf(1);
      if (stage.profile.withoutTools === true) expect(answer).toContain("There is no tool spawn_work_session");
      else expect(answer).toContain('"complete": true');
    },
  ],
  [
    "asks before it writes a file, and writes it when that is allowed",
    async (stage) => {
      const session = await beginAsking(stage, "allowed.md");
      const { permission_requests: requests } = await session.asked(1);
      expect(requests).toHaveLength(1);
      expect(existsSync(path.join(stage.repository, "allowed.md"))).toBe(false);
      const { status, body } = await session.answer(requests[0].id, { decision: "allow_once" });
      expect([status, body["permission_requests"] ?? []]).toEqual([200, []]);
      expect(await session.ended(1)).toMatchObject({ status: "completed" });
      expect(stage.file("allowed.md")).toContain("the demo model");
      const late = await session.answer(requests[0].id, { decision: "reject" });
      expect([late.status, late.body["error"]["details"][0]["reason"]]).toEqual([400, "PERMISSION_ANSWERED"]);
    },
  ],
  [
    "asks before it writes a file, and does not when that is rejected",
    async (stage) => {
      const session = await beginAsking(stage, "rejected.md");
      const { permission_requests: requests } = await session.asked(1);
      await session.answer(requests[0].id, { decision: "reject" });
      const turn = await session.ended(1);
      expect(["completed", "interrupted"]).toContain(turn["status"]);
      expect(existsSync(path.join(stage.repository, "rejected.md"))).toBe(false);
      const tools = (await session.entries()).filter(({ type }) => type === "tool_call");
      expect(tools.map((tool) => tool["tool_status"])).not.toContain("Completed");
      await session.say("Go on [demo: no-tool]");
      expect(await session.ended(2)).toMatchObject({ status: "completed" });
    },
  ],
  [
    "ends with its turn what it asks, when that is cancelled",
    async (stage) => {
      const session = await beginAsking(stage, "withdrawn.md");
      const { permission_requests: requests } = await session.asked(1);
      await session.cancel();
      expect(await session.ended(1)).toMatchObject({ status: "interrupted" });
      const late = await session.answer(requests[0].id, { decision: "allow_once" });
      expect([late.status, late.body["error"]["details"][0]["reason"]]).toEqual([400, "PERMISSION_WITHDRAWN"]);
      await session.say("Go on [demo: no-tool]");
      expect(await session.ended(2)).toMatchObject({ status: "completed" });
      expect(existsSync(path.join(stage.repository, "withdrawn.md"))).toBe(false);
    },
  ],
  [
    "is still asking when its bridge was killed and has come back, and takes the answer",
    async (stage) => {
      const session = await beginAsking(stage, "bridged.md");
      const { permission_requests: requests } = await session.asked(1);
      await stage.cluster.service("zed-bridge").restart("SIGKILL");
      expect(await session.asked(1)).toMatchObject({ status: "waiting", permission_requests: requests });
      await session.answer(requests[0].id, { decision: "allow_once" });
      expect(await session.ended(1)).toMatchObject({ status: "completed", attempt: 1 });
      expect(stage.file("bridged.md")).toContain("the demo model");
    },
  ],
  [
    "works in the mode that a session names, and one that it does not have is an error in words",
    async (stage) => {
      const planning = await stage.begin("Say hello [demo: no-tool]", { mode: stage.profile.mode });
      expect(await planning.ended(1)).toMatchObject({ status: "completed" });
      const lost = await stage.begin("Say hello [demo: no-tool]", { mode: "party" });
      const turn = await lost.ended(1);
      expect(turn).toMatchObject({ status: "failed", status_reason: "AGENT_NOT_AVAILABLE" });
      expect(turn["error"]).toContain('cannot be put into mode "party"');
    },
  ],
  [
    "tells what the model refuses",
    async (stage) => {
      const session = await stage.begin("Say hello [demo: no-tool]");
      await session.ended(1);
      await session.say("Fail [demo: error 400]");
      const turn = await session.ended(2);
      const told = stage.profile.modelError === "failed" ? turn["error"] : await session.answerOf(2);
      expect(turn["status"]).toBe(stage.profile.modelError === "failed" ? "failed" : "completed");
      expect(told).toContain("400");
    },
  ],
  [
    "loses nothing when the link breaks in the middle of its answer",
    async (stage) => {
      const session = await stage.begin("Add a page [demo: file linked.md] [demo: hold link]", allow);
      await session.heard(1);
      stage.cutLink();
      stage.cluster.model.release("link");
      expect(await session.ended(1)).toMatchObject({ status: "completed", attempt: 1 });
      expect(await session.answerOf(1)).toMatch(/Done\. linked\.md/);
    },
  ],
  [
    "begins a turn anew when it is killed in the middle, and remembers what was before",
    async (stage) => {
      const session = await stage.begin("Remember the owl [demo: no-tool]", allow);
      await session.ended(1);
      await session.say("Write about the lynx [demo: file killed.md] [demo: hold killed]");
      await session.heard(2);
      await stage.killAgent();
      stage.cluster.model.release("killed");
      expect(await session.ended(2)).toMatchObject({ status: "completed", attempt: 2 });
      expect(stage.file("killed.md")).toContain("the demo model");
      expectRemembered(stage, "lynx", "owl");
    },
  ],
  [
    "asks anew when it was killed while it asked",
    async (stage) => {
      const session = await beginAsking(stage, "anew.md");
      const { permission_requests: old } = await session.asked(1);
      await stage.killAgent();
      const { permission_requests: requests } = await session.asked(1, { attempt: 2 });
      expect(requests[0].id).not.toBe(old[0].id);
      expect((await session.answer(old[0].id, { decision: "allow_once" })).status).toBe(400);
      await session.answer(requests[0].id, { decision: "allow_once" });
      expect(await session.ended(1)).toMatchObject({ status: "completed", attempt: 2 });
      expect(stage.file("anew.md")).toContain("the demo model");
    },
  ],
  [
    "goes on with its conversations when its host was killed",
    async (stage) => {
      const session = await stage.begin("Remember the badger [demo: no-tool]");
      await session.ended(1);
      const thread = (await session.thread())["zed_thread_id"];
      await stage.restartHost();
      await session.say("Tell of the marten [demo: no-tool]");
      expect(await session.ended(2)).toMatchObject({ status: "completed", attempt: 1 });
      expect((await session.thread())["zed_thread_id"]).toBe(thread);
      expectRemembered(stage, "marten", "badger");
    },
  ],
  [
    "begins a new conversation when the old one is certainly gone, and says so",
    async (stage) => {
      const session = await stage.begin("Remember the crow [demo: no-tool]");
      await session.ended(1);
      const thread = (await session.thread())["zed_thread_id"];
      await stage.restartHost((dataFolder) => forgetThread(path.join(dataFolder, "threads.json"), thread));
      await session.say("Tell of the raven [demo: no-tool]");
      expect(await session.ended(2)).toMatchObject({ status: "completed" });
      const now = await session.thread();
      expect(now).toMatchObject({ status_reason: "CONTEXT_LOST" });
      expect(now["zed_thread_id"]).not.toBe(thread);
    },
  ],
];

/** Runs all cases with one agent. */
export function describeAgent(profile: AgentProfile): void {
  describe(`${profile.name}, through the whole system,`, () => {
    let stage: AgentStage;

    beforeAll(async () => {
      stage = await AgentStage.open(profile);
    }, 660_000);

    afterAll(() => stage.close(), 30_000);

    test.each(cases)(
      "%s",
      async (_promise, prove) => {
        onTestFailed(() => void process.stderr.write(`${stage.report()}\n`));
        await prove(stage);
      },
      SLOWEST_MS,
    );
  });
}

/** Begins a session whose agent is to ask before it writes this file. */
function beginAsking(stage: AgentStage, file: string): Promise<RealSession> {
  const { askingConfig, askingDirective = "" } = stage.profile;
  return stage.begin(`Add a page [demo: file ${file}] ${askingDirective}`, {
    permission_policy: "ask",
    ...askingConfig,
  });
}

/** The last request to the model that was about `topic` also held what was said of `earlier`. */
function expectRemembered({ cluster }: AgentStage, topic: string, earlier: string): void {
  const request = cluster.model.requests().findLast(({ prompt }) => prompt.includes(topic));
  expect(request?.prompts.join("\n")).toContain(earlier);
}

function forgetThread(file: string, thread: string): void {
  const { threads }: { threads: { id: string }[] } = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ threads: threads.filter(({ id }) => id !== thread) }));
}
