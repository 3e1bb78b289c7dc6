import type { SyncEvent } from "@helix-zed/sync-protocol";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BridgeApp, claimSession, openBridgeApp } from "../testing/bridge-app.ts";
import { transcriptOf, turnsOf } from "../testing/read-thread.ts";
import { completedEvent, entryEvent, ScriptedEditor } from "../testing/scripted-editor.ts";

let bridge: BridgeApp;

beforeAll(async () => {
  bridge = await openBridgeApp();
});

afterAll(() => bridge.close());

/** One turn as an agent of three entries would do it, each of them growing. */
function turnOf(request: string): SyncEvent[] {
  const entry = (index: number, content: string) => entryEvent({ request, index, content });
  return [entry(1, "a"), entry(1, "a1"), entry(2, "b"), entry(2, "b1"), entry(3, "c"), completedEvent(request)];
}

const stray: fc.Arbitrary<(request: string) => SyncEvent> = fc.constantFrom(
  () => entryEvent({ request: "trn_0", index: 1, content: "stray" }),
  (request: string) => entryEvent({ request, index: 1, content: "stray", thread: "thread-9" }),
  (request: string) => entryEvent({ request, index: 1, content: "stray", role: "user" }),
  () => completedEvent("trn_0"),
  (request: string) => completedEvent(request, "thread-9"),
  (request: string) => ({
    event_type: "thread_created" as const,
    data: { acp_thread_id: "thread-9", request_id: request },
  }),
  () => ({ event_type: "turn_cancelled" as const, data: { request_id: "trn_0", status: "cancelled" as const } }),
);

/** What is said in one run: each event of the turn in its place, before it any earlier ones again and strays. */
const schedule = fc.array(
  fc.record({ again: fc.array(fc.nat(5), { maxLength: 3 }), strays: fc.array(stray, { maxLength: 2 }) }),
  { minLength: 6, maxLength: 6 },
);

describe("duplicates and strays", () => {
  test("change neither the transcript nor the turn, wherever they come", async () => {
    await fc.assert(
      fc.asyncProperty(schedule, async (steps) => {
        const session = await claimSession(bridge.app);
        const editor = new ScriptedEditor(bridge.app, session.instanceId);
        await editor.start();
        const request = await editor.beginThread();
        const events = turnOf(request);
        // What an entry says now may be said again at any time; what it said before is not, on one connection.
        const latest = new Map<string, SyncEvent>();
        for (const [index, event] of events.entries()) {
          latest.set(event.event_type === "message_added" ? event.data.message_id : event.event_type, event);
          await editor.say(event);
          const { again = [], strays = [] } = steps[index] ?? {};
          const repeatable = [...latest.values()];
          for (const pick of again) {
            const repeated = repeatable[pick % repeatable.length];
            if (repeated !== undefined) await editor.say(repeated);
          }
          for (const make of strays) await editor.say(make(request));
        }
        expect(await transcriptOf(bridge.app, session.workSessionId)).toEqual([
          "user: Say hello",
          "assistant: a1",
          "assistant: b1",
          "assistant: c",
        ]);
        expect(await turnsOf(bridge.app, session.workSessionId)).toEqual(["completed"]);
      }),
      { numRuns: 15 },
    );
  });
});
