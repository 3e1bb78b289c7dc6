import { type Lifecycle, nextState } from "@helix-zed/domain";
import type { TokenUsage } from "@helix-zed/sync-protocol";
import { defineEntity, type OptionalProps, p } from "@mikro-orm/core";

// Turns
//
// A turn is one prompt, from being queued to its end. Its id is the request id on the editor's wire, one for its life.
//
//              ┌────────── requeue (the editor or the agent died) ─────────┐
//              ▼                                                           │
//   queued ──send──▶ sent ──start──▶ running ◀──resume── waiting ──────────┤
//     │               │                 │  └────ask────────▶ │             │
//     └───────────────┴─────────────────┴───────────────────┴──▶ completed │ failed │ interrupted
//
// At most one turn of a thread is between sent and its end. The three ends absorb: nothing that arrives later changes
// them. `stalled` is a flag, no end. What an agent says never moves a turn by itself but for the first sign (`start`)
// and for a tool that asks (`ask`, `resume`).

/** Where a turn stands. */
export type TurnStatus = "queued" | "sent" | "running" | "waiting" | "completed" | "failed" | "interrupted";

/** Who asked: a caller, or a person who typed it in the editor. */
export type TurnOrigin = "caller" | "editor";

/** What may happen to a turn. */
export type TurnAction = "send" | "start" | "ask" | "resume" | "requeue" | "complete" | "fail" | "interrupt";

const ended = {
  send: null,
  start: null,
  ask: null,
  resume: null,
  requeue: null,
  complete: null,
  fail: null,
  interrupt: null,
} as const;

/** Every action in every status; `null` where nothing follows from it. */
export const turnLifecycle: Lifecycle<TurnStatus, TurnAction> = {
  queued: {
    send: "sent",
    start: null,
    ask: null,
    resume: null,
    requeue: null,
    complete: null,
    fail: "failed",
    interrupt: "interrupted",
  },
  sent: {
    send: null,
    start: "running",
    ask: "waiting",
    resume: null,
    requeue: "queued",
    complete: "completed",
    fail: "failed",
    interrupt: "interrupted",
  },
  running: {
    send: null,
    start: null,
    ask: "waiting",
    resume: null,
    requeue: "queued",
    complete: "completed",
    fail: "failed",
    interrupt: "interrupted",
  },
  waiting: {
    send: null,
    start: null,
    ask: null,
    resume: "running",
    requeue: "queued",
    complete: "completed",
    fail: "failed",
    interrupt: "interrupted",
  },
  completed: ended,
  failed: ended,
  interrupted: ended,
};

/** The statuses of which a thread has at most one turn. */
export const inFlightStatuses = ["sent", "running", "waiting"] as const satisfies readonly TurnStatus[];

/** Whether a turn is in the editor's hands. */
export function isInFlight(status: TurnStatus): boolean {
  return status === "sent" || status === "running" || status === "waiting";
}

/** Whether a turn has ended. */
export function isTurnOver(status: TurnStatus): boolean {
  return status === "completed" || status === "failed" || status === "interrupted";
}

const TurnSchema = defineEntity({
  name: "Turn",
  tableName: "turns",
  properties: {
    id: p.string().primary(),
    mappingId: p.string(),
    /** Counts the thread's turns from 1. */
    number: p.integer(),
    message: p.text(),
    interrupt: p.boolean(),
    status: p.string().$type<TurnStatus>(),
    statusReason: p.text(),
    error: p.text(),
    stalled: p.boolean(),
    /** How often it was handed to the editor. */
    attempt: p.integer(),
    /** What the caller gave to make its call safe to repeat, and a hash of what it asked for. */
    callerRequestId: p.string().strictNullable(),
    payloadHash: p.string().strictNullable(),
    usage: p.json().$type<TokenUsage>().strictNullable(),
    /** The connection and the launch in which it was last handed over. */
    sentEpoch: p.integer(),
    sentLaunch: p.integer(),
    sentAt: p.datetime().strictNullable(),
    /** Whether it was sent to begin a thread. */
    createsThread: p.boolean(),
    startedAt: p.datetime().strictNullable(),
    cancelRequestedAt: p.datetime().strictNullable(),
    cancelReason: p.text(),
    /** The connection in which the cancel was sent; 0 for none. */
    cancelSentEpoch: p.integer(),
    origin: p.string().$type<TurnOrigin>(),
    /** What a turn that was typed in the editor is called there; empty where that is nothing, or the turn's id. */
    wireId: p.text(),
    /** Where a turn that was typed in the editor begins: the place of the words in the thread, in `sentLaunch`. */
    anchor: p.integer().strictNullable(),
    /** When the editor is known to have received the attempt. */
    receivedAt: p.datetime().strictNullable(),
    /** How many events of it were taken in, over all attempts; when, on which connection and which the last one was. */
    heardCount: p.bigint("number"),
    heardAt: p.datetime().strictNullable(),
    heardEpoch: p.integer(),
    heardLast: p.text(),
    /** The connection in which the editor is to be asked after it, and the one in which it was; 0 for none. */
    probeEpoch: p.integer(),
    probeSentEpoch: p.integer(),
    /** When the editor said that it was at work on it, and stopped it for that. */
    probeCancelledAt: p.datetime().strictNullable(),
    completedAt: p.datetime().strictNullable(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

/** What goes with a transition. */
export interface TurnChange {
  readonly now: Date;
  readonly reason?: string;
  readonly error?: string;
}

/** One prompt, from being queued to its end. */
export class Turn extends TurnSchema.class {
  declare [OptionalProps]?: "ended" | "inFlight" | "nameInEditor";

  /** Whether it is in the editor's hands. */
  get inFlight(): boolean {
    return isInFlight(this.status);
  }

  /** Whether it is over. */
  get ended(): boolean {
    return isTurnOver(this.status);
  }

  /** What the editor knows it by; empty for nothing. */
  get nameInEditor(): string {
    return this.origin === "editor" ? this.wireId : this.id;
  }

  /** The one place where a turn's status changes. Returns whether the action meant anything in its status. */
  move(action: TurnAction, { now, reason = "", error = "" }: TurnChange): boolean {
    const next = nextState(turnLifecycle, this.status, action);
    if (next === null) return false;
    this.status = next;
    this.statusReason = reason;
    this.error = error;
    this.stalled = false;
    this.updatedAt = now;
    if (this.ended) this.completedAt = now;
    return true;
  }
}
TurnSchema.setClass(Turn);
