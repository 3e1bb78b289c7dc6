// Questions and answers in any order, while links break and hosts die, compared with a model that is simple enough to be
// believed: three requests, each asked, answered, given out once on each link, and taken.

import { sized } from "@helix-zed/harness/test-size.ts";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ann } from "../testing/read-thread.ts";
import { Stage } from "../testing/stage.ts";
import { answerPermission } from "./answer-permission.ts";

const stage = new Stage();

beforeAll(() => stage.open());
afterAll(() => stage.close());

interface Asked {
  answer: "yes" | "no" | null;
  givenOutOn: number;
}

const which = fc.constantFrom("p1", "p2", "p3");

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant("ask" as const), which }) },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant("answer" as const), which, answer: fc.constantFrom("yes", "no") }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("take" as const) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("resolve" as const), which }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("cut" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("crash" as const) }) },
  ),
  { minLength: 5, maxLength: 30 },
);

type Step = typeof steps extends fc.Arbitrary<(infer One)[]> ? One : never;

/** One turn of one thread, as it is and as it should be. */
class Scene {
  /** What is asked in the present attempt and has not ended, by the host's id. */
  readonly asked = new Map<string, Asked>();
  /** What was asked before, and must stay as it was. */
  readonly over = new Set<string>();
  readonly #ids = new Map<string, string>();
  #request = "";
  #attempt = 1;

  async begin(): Promise<void> {
    await stage.begin();
    this.#request = await stage.editor.beginThread();
  }

  async do(step: Step): Promise<void> {
    switch (step.do) {
      case "ask":
        return this.#ask(this.#name(step.which));
      case "answer":
        return this.#answer(this.#name(step.which), step.answer);
      case "take":
        return this.#take();
      case "resolve":
        return this.#resolve(this.#name(step.which));
      case "cut":
        await stage.editor.disconnect();
        await stage.editor.connect();
        return;
      case "crash":
        return this.#crash();
      default:
        return step satisfies never;
    }
  }

  /** Whether the bridge shows what the model says. */
  async check(): Promise<void> {
    const { latestTurn, permissionRequests } = await stage.thread();
    const open = [...this.asked].flatMap(([name, { answer }]) => (answer === null ? [name] : []));
    expect(permissionRequests.map(({ hostPermissionId }) => hostPermissionId).toSorted()).toEqual(open.toSorted());
    if (this.asked.size > 0) expect(latestTurn?.status).toBe("waiting");
    else expect(latestTurn?.status).not.toBe("waiting");
  }

  /** A host of a later attempt does not know the requests of an earlier one, so they have other ids. */
  #name(name: string): string {
    return `${name} of ${this.#attempt}`;
  }

  async #ask(name: string): Promise<void> {
    const options = [
      { option_id: "yes", name: "Yes", kind: "allow_once" } as const,
      { option_id: "no", name: "No", kind: "reject_once" } as const,
    ];
    const data = {
      acp_thread_id: "thread-1",
      request_id: this.#request,
      permission_id: name,
      title: "",
      tool_name: "",
    };
    await stage.editor.say({ event_type: "permission_requested", data: { ...data, options, timestamp: 1 } });
    if (this.over.has(name) || this.asked.has(name)) return;
    this.asked.set(name, { answer: null, givenOutOn: 0 });
    const shown = (await stage.thread()).permissionRequests.find(({ hostPermissionId }) => hostPermissionId === name);
    this.#ids.set(name, shown?.id ?? "");
  }

  async #answer(name: string, answer: "yes" | "no"): Promise<void> {
    const { workSessionId } = stage.session;
    const command = { workSessionId, permissionId: this.#ids.get(name) ?? "prm_0", answer: { optionId: answer } };
    const accepted = await answerPermission(stage.app, ann, command).then(
      () => true,
      () => false,
    );
    const asked = this.asked.get(name);
    if (asked === undefined) return;
    expect(accepted).toBe(asked.answer === null || asked.answer === answer);
    asked.answer ??= answer;
  }

  async #take(): Promise<void> {
    const { epoch } = stage.editor;
    const due = [...this.asked].filter(([, { answer, givenOutOn }]) => answer !== null && givenOutOn !== epoch);
    const taken = (await stage.editor.take()).filter(({ type }) => type === "answer_permission");
    const expected = due.map(([permission_id, { answer: option_id }]) => ({ permission_id, option_id }));
    expect(taken.map(({ data }) => data)).toHaveLength(expected.length);
    expect(taken.map(({ data }) => data)).toEqual(expect.arrayContaining(expected));
    for (const [, asked] of due) asked.givenOutOn = epoch;
  }

  async #resolve(name: string): Promise<void> {
    const data = { acp_thread_id: "thread-1", permission_id: name, outcome: "allowed" } as const;
    await stage.editor.say({ event_type: "permission_resolved", data });
    if (this.asked.delete(name)) this.over.add(name);
  }

  async #crash(): Promise<void> {
    // A turn has three attempts.
    if (this.#attempt > 2) return;
    for (const name of this.asked.keys()) this.over.add(name);
    this.asked.clear();
    this.#attempt += 1;
    await stage.editor.crash();
    stage.world.pass(60_000);
    await stage.editor.start();
    await stage.editor.take();
    await stage.editor.ready("thread-1");
    await stage.editor.take();
  }
}

describe("questions and answers, in any order, over links that break and hosts that die,", () => {
  test("are as in the model: each is shown until it is answered, and given out once on a link until it is taken", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (schedule) => {
        const scene = new Scene();
        await scene.begin();
        for (const step of schedule) {
          await scene.do(step);
          await scene.check();
        }
      }),
      { numRuns: sized({ normal: 10, full: 500 }) },
    );
  }, 600_000);
});
