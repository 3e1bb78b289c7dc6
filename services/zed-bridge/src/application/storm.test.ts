import { Refusal } from "@helix-zed/domain";
import type { SyncEvent } from "@helix-zed/sync-protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultLimits } from "../domain/limits.ts";
import { Turn } from "../domain/turn.ts";
import { type BridgeApp, type ClaimedSession, claimSession, openBridgeApp, runner } from "../testing/bridge-app.ts";
import { ann, threadOf } from "../testing/read-thread.ts";
import { completedEvent, entryEvent } from "../testing/scripted-editor.ts";
import { acceptLink } from "./accept-link.ts";
import { cancelTurn } from "./cancel-turn.ts";
import { claimCommands } from "./claim-commands.ts";
import { closeThread } from "./close-thread.ts";
import { expireDeadlines } from "./expire-deadlines.ts";
import { listReports } from "./list-reports.ts";
import { prepareLaunch } from "./prepare-launch.ts";
import { receiveEvent } from "./receive-event.ts";
import { recordExit } from "./record-exit.ts";
import { sendMessage } from "./send-message.ts";
import { stopZedInstance } from "./stop-zed-instance.ts";

let bridge: BridgeApp;

/** So that within a test something is overdue. */
const impatient = { ...defaultLimits, silenceTimeoutMs: 50, firstEventTimeoutMs: 50, cancelTimeoutMs: 100 };

beforeAll(async () => {
  // An editor of which the bridge must expect the worst.
  bridge = await openBridgeApp({ launchTarget: "zed", limits: impatient });
});

afterAll(() => bridge.close());

/** An editor that several hands drive at once, without any order. */
class Storm {
  readonly sessions: ClaimedSession[];
  readonly instanceId: string;
  #token = "";
  #launch = 0;
  #epoch = 0;
  #requests: string[] = [];
  #seed = 1;

  constructor(sessions: ClaimedSession[]) {
    this.sessions = sessions;
    this.instanceId = this.#pick(sessions).instanceId;
  }

  /** One thing that may happen, whether it makes sense or not. */
  async happen(): Promise<void> {
    try {
      await this.#do(this.#pick(["link", "claim", "claim", "hear", "hear", "hear", "ask", "manage"]));
    } catch (error) {
      // What is declined is declined; anything else would be a bug, and so would be losing to one another.
      if (!(error instanceof Refusal) || error.reason === "TRANSACTION_CONFLICT") throw error;
    }
  }

  #do(deed: "link" | "claim" | "hear" | "ask" | "manage"): Promise<void> {
    if (deed === "link") return this.#link();
    if (deed === "claim") return this.#claim();
    if (deed === "hear") return this.#hear();
    return deed === "ask" ? this.#ask() : this.#manage();
  }

  async #link(): Promise<void> {
    const { instanceId } = this;
    const launch = await prepareLaunch(bridge.app, { instanceId });
    if (launch !== null) ({ token: this.#token, launch: this.#launch } = launch);
    this.#epoch = (await acceptLink(bridge.app, { instanceId, token: this.#token })).epoch;
  }

  async #claim(): Promise<void> {
    const link = { instanceId: this.instanceId, epoch: this.#epoch };
    for (const { data } of (await claimCommands(bridge.app, link)) ?? []) {
      if ("request_id" in data) this.#requests.push(data.request_id);
    }
  }

  async #hear(): Promise<void> {
    const { instanceId } = this;
    await receiveEvent(bridge.app, { instanceId, epoch: this.#epoch, event: this.#event() });
  }

  #event(): SyncEvent {
    const request = this.#pick([...this.#requests.slice(-6), "trn_0"]);
    const thread = `thread-${this.#number(4)}`;
    const index = this.#number(5);
    return this.#pick<SyncEvent>([
      { event_type: "agent_ready", data: { agent_name: "x", thread_id: null } },
      { event_type: "agent_ready", data: { agent_name: "x", thread_id: thread } },
      { event_type: "thread_created", data: { acp_thread_id: thread, request_id: request } },
      { event_type: "chat_response_error", data: { request_id: request, error: "agent exited" } },
      { event_type: "turn_cancelled", data: { request_id: request, status: "cancelled" } },
      { event_type: "turn_cancelled", data: { request_id: request, status: "noop" } },
      { event_type: "user_created_thread", data: { acp_thread_id: `mine-${this.#number(3)}`, title: null } },
      { event_type: "thread_title_changed", data: { acp_thread_id: thread, title: `Title ${index}` } },
      entryEvent({ request: "", index, content: `words ${index}`, thread: `mine-${this.#number(3)}`, role: "user" }),
      entryEvent({ request, index: 5 + this.#number(20), content: "typed", thread, role: "user" }),
      completedEvent("", thread),
      { event_type: "thread_load_error", data: { acp_thread_id: thread, request_id: request, error: "busy" } },
      completedEvent(request, thread),
      entryEvent({ request, index, content: `text ${this.#number(9)}`, thread }),
      entryEvent({ request, index, content: "tool", thread, tool: { name: "T", status: "Waiting for confirmation" } }),
    ]);
  }

  async #ask(): Promise<void> {
    const { workSessionId } = this.#pick(this.sessions);
    if (this.#number(4) === 0) await cancelTurn(bridge.app, ann, { workSessionId, turnId: "" });
    const interrupt = this.#number(4) === 0;
    await sendMessage(bridge.app, ann, { workSessionId, message: "More", interrupt, requestId: "" });
  }

  async #manage(): Promise<void> {
    const { instanceId } = this;
    const choice = this.#number(12);
    if (choice === 0) await stopZedInstance(bridge.app, ann, { id: instanceId });
    if (choice === 1) await closeThread(bridge.app, { ...this.#pick(this.sessions), reason: "completed" });
    if (choice < 4) await recordExit(bridge.app, { instanceId, launch: this.#launch, reason: "gone", logLines: [] });
    await expireDeadlines(bridge.app, { runner });
    await listReports(bridge.app, { runner });
  }

  #number(below: number): number {
    this.#seed = (this.#seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((this.#seed / 2_147_483_648) * below);
  }

  #pick<T>(things: readonly [T, ...T[]] | readonly T[]): T {
    const thing = things[this.#number(things.length)];
    if (thing === undefined) throw new Error("There is nothing to pick from.");
    return thing;
  }
}

/** How often PostgreSQL had to break two transactions apart that waited for each other. */
async function deadlocks(): Promise<number> {
  const rows = await bridge.app.database.snapshot(async (em) => {
    await em.execute("select pg_stat_force_next_flush()");
    return em.execute<{ deadlocks: string }[]>(
      "select deadlocks from pg_stat_database where datname = current_database()",
    );
  });
  return Number(rows[0]?.deadlocks);
}

describe("whatever happens at the same time", () => {
  test("nothing blocks, nothing breaks, and every thread adds up", async () => {
    const taskId = bridge.app.world.newId("tsk");
    const sessions = await Promise.all(Array.from({ length: 4 }, () => claimSession(bridge.app, { taskId })));
    const storm = new Storm(sessions);
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let deeds = 0; deeds < 50; deeds++) await storm.happen();
      }),
    );
    expect(await deadlocks()).toBe(0);
    for (const { workSessionId } of sessions) {
      const { mapping, queuedTurnCount } = await threadOf(bridge.app, workSessionId);
      const turns = await bridge.app.database.snapshot((em) => em.find(Turn, { mappingId: mapping.id }));
      const numbers = turns.map(({ number }) => number).toSorted((a, b) => a - b);
      expect(numbers).toEqual(Array.from({ length: mapping.turnCount }, (_, index) => index + 1));
      if (mapping.ended) expect(turns.every(({ ended }) => ended)).toBe(true);
      expect(turns.filter(({ status }) => status === "queued")).toHaveLength(queuedTurnCount);
      const log = await bridge.app.database.snapshot((em) =>
        em.execute<{ head: string; rows: string }[]>(
          "select max(seq) as head, count(distinct seq) as rows from thread_log where mapping_id = ?",
          [mapping.id],
        ),
      );
      expect(Number(log[0]?.head)).toBe(mapping.logSeq);
    }
  });
});
