import type { SyncEvent } from "@helix-zed/sync-protocol";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ann, bob } from "../testing/read-thread.ts";
import { runner } from "../testing/bridge-app.ts";
import { Stage } from "../testing/stage.ts";
import { answerPermission, type AnswerPermission } from "./answer-permission.ts";
import { cancelTurn } from "./cancel-turn.ts";
import { expireDeadlines } from "./expire-deadlines.ts";

// An editor of ours asks, somebody answers, and everything that can happen between the two.

const stage = new Stage();
let request: string;

beforeAll(() => stage.open());
afterAll(() => stage.close());

beforeEach(async () => {
  await stage.begin();
  request = await stage.editor.beginThread();
});

const options = [
  { option_id: "yes", name: "Yes", kind: "allow_once" },
  { option_id: "always", name: "Yes, always", kind: "allow_always" },
  { option_id: "no", name: "No", kind: "reject_once" },
] as const;

function requested(permission_id = "p1", more: object = {}): SyncEvent {
  const data = { acp_thread_id: "thread-1", request_id: request, permission_id, title: "rm -rf /", tool_name: "rm" };
  return { event_type: "permission_requested", data: { ...data, options: [...options], timestamp: 1, ...more } };
}

function resolved(outcome: "allowed" | "rejected" | "withdrawn" | "expired" | "gone", permission_id = "p1"): SyncEvent {
  return { event_type: "permission_resolved", data: { acp_thread_id: "thread-1", permission_id, outcome } };
}

async function ask(): Promise<string> {
  await stage.editor.say(requested());
  const [open] = (await stage.thread()).permissionRequests;
  if (open === undefined) throw new Error("nothing is asked");
  return open.id;
}

function answer(permissionId: string, said: AnswerPermission["answer"], by = ann) {
  const { workSessionId } = stage.session;
  return answerPermission(stage.app, by, { workSessionId, permissionId, answer: said });
}

async function refusal(answering: Promise<unknown>): Promise<string> {
  return answering.then(
    () => "nothing",
    (error: unknown) => (error instanceof Error && "reason" in error ? String(error.reason) : String(error)),
  );
}

const yes = { decision: "allow_once" } as const;
const no = { decision: "reject" } as const;
const toldYes = { type: "answer_permission", data: { permission_id: "p1", option_id: "yes" } };

describe("a request for permission", () => {
  test("makes its turn wait, is shown with it, and is over when the host has taken the answer", async () => {
    const id = await ask();
    expect(await stage.thread()).toMatchObject({
      latestTurn: { status: "waiting" },
      permissionRequests: [{ id, title: "rm -rf /", toolName: "rm", options: [{ id: "yes" }, { id: "always" }, {}] }],
    });
    expect(await answer(id, yes)).toMatchObject({ status: "waiting" });
    expect((await stage.thread()).permissionRequests).toEqual([]);
    expect(await stage.editor.take()).toEqual([toldYes]);
    expect(await stage.editor.say(resolved("allowed"))).toBeNull();
    expect(await stage.turns()).toEqual(["running"]);
  });

  test.each([
    [{ decision: "allow_always" }, "always"],
    [{ decision: "reject" }, "no"],
    [{ optionId: "always" }, "always"],
  ] as const)("answered with %j is told to the host by its option", async (said, option) => {
    await answer(await ask(), said);
    expect(await stage.editor.takeOne("answer_permission")).toEqual({ permission_id: "p1", option_id: option });
  });

  test("told again by the host is the same request", async () => {
    const id = await ask();
    expect(await stage.editor.say(requested())).toBe("it is known already");
    await answer(id, yes);
    expect(await stage.editor.say(requested())).toBe("it is known already");
    expect((await stage.thread()).permissionRequests).toEqual([]);
  });

  test("is one of several: the turn waits until the last is answered", async () => {
    await stage.editor.say(requested("p1"));
    await stage.editor.say(requested("p2"));
    const open = (await stage.thread()).permissionRequests;
    expect(open).toHaveLength(2);
    for (const { id } of open) await answer(id, yes);
    await stage.editor.say(resolved("allowed", "p1"));
    expect(await stage.turns()).toEqual(["waiting"]);
    await stage.editor.say(resolved("allowed", "p2"));
    expect(await stage.turns()).toEqual(["running"]);
  });

  test("that offers no way to reject is withdrawn by a rejection, and cannot be allowed for good", async () => {
    await stage.editor.say(requested("p1", { options: [options[0]] }));
    const [open] = (await stage.thread()).permissionRequests;
    expect(await refusal(answer(open?.id ?? "", { decision: "allow_always" }))).toBe("PERMISSION_OPTION_NOT_OFFERED");
    await answer(open?.id ?? "", no);
    expect(await stage.editor.takeOne("answer_permission")).toEqual({ permission_id: "p1", option_id: null });
  });

  test("keeps no secret that its agent has put into it", async () => {
    const { app } = stage;
    const secret = "a-provider-key-0123456789";
    Object.assign(app, { secrets: [secret] });
    await stage.editor.say(requested("p1", { title: `curl -H ${secret}` }));
    expect((await stage.thread()).permissionRequests).toMatchObject([{ title: "curl -H [redacted]" }]);
    Object.assign(app, { secrets: [] });
  });
});

describe("an answer", () => {
  test("is given out once on a link, and once more on the next if the host has not taken it", async () => {
    await answer(await ask(), yes);
    expect(await stage.editor.take()).toEqual([toldYes]);
    expect(await stage.editor.take()).toEqual([]);
    await stage.editor.disconnect();
    await stage.editor.connect();
    expect(await stage.editor.take()).toContainEqual(toldYes);
    await stage.editor.say(resolved("allowed"));
    await stage.editor.disconnect();
    await stage.editor.connect();
    expect(await stage.editor.take()).not.toContainEqual(toldYes);
  });

  test("said again changes nothing, also when the turn is over; another one is refused", async () => {
    const id = await ask();
    await answer(id, yes);
    await answer(id, { optionId: "yes" });
    expect(await stage.editor.take()).toEqual([toldYes]);
    expect(await refusal(answer(id, no))).toBe("PERMISSION_ANSWERED");
    await stage.editor.say(resolved("allowed"));
    await stage.editor.answer(request, "Done");
    expect(await answer(id, yes)).toMatchObject({ status: "completed" });
    expect(await refusal(answer(id, no))).toBe("PERMISSION_ANSWERED");
    expect(await stage.editor.take()).toEqual([]);
  });

  test("of two that are given at once is one, and the other is refused", async () => {
    const id = await ask();
    const outcomes = await Promise.all([refusal(answer(id, yes)), refusal(answer(id, no))]);
    expect(outcomes.toSorted()).toEqual(["PERMISSION_ANSWERED", "nothing"]);
    expect(await stage.editor.take()).toHaveLength(1);
  });

  test("to what nobody asks, or with what was not offered, or by another tenant, is refused", async () => {
    const id = await ask();
    expect(await refusal(answer("prm_0", yes))).toBe("PERMISSION_NOT_FOUND");
    expect(await refusal(answer(id, { optionId: "perhaps" }))).toBe("PERMISSION_OPTION_UNKNOWN");
    expect(await refusal(answer(id, yes, bob))).toBe("ZED_THREAD_NOT_FOUND");
    expect(await stage.turns()).toEqual(["waiting"]);
  });

  test("to an editor that asks in its own window is refused, and says so", async () => {
    const tool = { name: "rm", status: "Waiting for confirmation" };
    await stage.editor.entry({ request, index: 1, content: "rm", tool });
    expect(await stage.turns()).toEqual(["waiting"]);
    expect((await stage.thread()).permissionRequests).toEqual([]);
    expect(await refusal(answer("prm_0", yes))).toBe("PERMISSION_NOT_ANSWERABLE");
  });
});

describe("a request that nobody can answer any more", () => {
  test.each([
    ["its turn was answered", () => stage.editor.answer(request, "Done")],
    ["its turn has failed", () => stage.editor.failed(request, "no")],
    ["its turn was cancelled", () => cancelled()],
    ["its host has died", () => stage.editor.crash()],
    ["its bridge was stopped, and its host with it", () => stage.editor.endWithBridge()],
    ["its host has withdrawn it", () => stage.editor.say(resolved("withdrawn"))],
  ])("because %s is shown no more, and an answer is refused", async (_why, end) => {
    const id = await ask();
    await end();
    expect((await stage.thread()).permissionRequests).toEqual([]);
    expect(await refusal(answer(id, yes))).toBe("PERMISSION_WITHDRAWN");
  });

  test("is asked anew in the next attempt of its turn, which waits for that one alone", async () => {
    const id = await ask();
    await stage.editor.crash();
    stage.world.pass(60_000);
    await stage.editor.start();
    await stage.editor.takeOne("open_thread");
    await stage.editor.ready("thread-1");
    await stage.editor.takeOne("chat_message");
    await stage.editor.say(requested("p9"));
    const open = (await stage.thread()).permissionRequests;
    expect(open).toMatchObject([{ hostPermissionId: "p9", attempt: 2 }]);
    expect(await refusal(answer(id, yes))).toBe("PERMISSION_WITHDRAWN");
    await answer(open[0]?.id ?? "", yes);
    await stage.editor.say(resolved("allowed", "p9"));
    expect(await stage.turns()).toEqual(["running"]);
  });
});

async function cancelled(): Promise<void> {
  await cancelTurn(stage.app, ann, { workSessionId: stage.session.workSessionId, turnId: "" });
  await stage.editor.cancelled(request);
}

describe("a request that nobody answers", () => {
  test("is rejected when its time is over, and the turn that goes on says why", async () => {
    const id = await ask();
    await stage.editor.entry({ request, index: 1, content: "rm", tool: { name: "rm", status: "In Progress" } });
    stage.world.pass(stage.app.limits.permissionTimeoutMs - 1);
    await expireDeadlines(stage.app, { runner });
    expect(await stage.editor.take()).toEqual([]);
    stage.world.pass(1);
    await expireDeadlines(stage.app, { runner });
    expect(await stage.editor.takeOne("answer_permission")).toEqual({ permission_id: "p1", option_id: "no" });
    expect(await refusal(answer(id, yes))).toBe("PERMISSION_EXPIRED");
    await stage.editor.say(resolved("rejected"));
    expect(await stage.turns()).toEqual(["running PERMISSION_EXPIRED"]);
  });

  test("and that the host gives up by itself has expired, too", async () => {
    const id = await ask();
    await stage.editor.say(resolved("expired"));
    expect(await stage.turns()).toEqual(["running PERMISSION_EXPIRED"]);
    expect(await refusal(answer(id, yes))).toBe("PERMISSION_EXPIRED");
  });

  test("does not wait for a host that does not know it any more", async () => {
    await answer(await ask(), yes);
    await stage.editor.take();
    await stage.editor.say(resolved("gone"));
    expect(await stage.turns()).toEqual(["running"]);
  });
});
