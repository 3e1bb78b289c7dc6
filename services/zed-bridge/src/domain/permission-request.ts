import type { PermissionOptionKind } from "@helix-zed/sync-protocol";
import { defineEntity, type OptionalProps, p } from "@mikro-orm/core";
import { isInFlight, type Turn } from "./turn.ts";

// Requests for permission
//
//   asked ──answer──▶ answered ──the host has taken it──▶ resolved
//     │  └──nobody answers in time: the bridge answers with a rejection──┘
//     └──the host ends it by itself──▶ resolved
//
// A request belongs to one attempt of one turn. When that is over, so is the request, whatever its row says: an agent that
// died asks nothing any more, and nothing has to be cleaned up behind it.

/** One answer that the agent understands. */
export interface PermissionOption {
  readonly id: string;
  readonly name: string;
  readonly kind: PermissionOptionKind;
}

/** An answer in words that no agent owns. */
export type PermissionDecision = "allow_once" | "allow_always" | "reject";

const PermissionRequestSchema = defineEntity({
  name: "PermissionRequest",
  tableName: "permission_requests",
  properties: {
    id: p.string().primary(),
    mappingId: p.string(),
    turnId: p.string(),
    /** The attempt of the turn, and the launch of the host, in which it was asked. */
    attempt: p.integer(),
    launch: p.integer(),
    /** The host's own id of it. */
    hostPermissionId: p.string(),
    title: p.text(),
    toolName: p.text(),
    options: p.json().$type<readonly PermissionOption[]>(),
    requestedAt: p.datetime(),
    expiresAt: p.datetime(),
    answeredAt: p.datetime().strictNullable(),
    /** Who answered; empty for the time limit. */
    answeredBy: p.text(),
    /** What was answered; `null` withdraws the request. */
    optionId: p.text().strictNullable(),
    /** The connection that the answer was last given out on. */
    sentEpoch: p.integer(),
    resolvedAt: p.datetime().strictNullable(),
    /** How it ended, in the host's words; empty until it has. */
    outcome: p.text(),
  },
});

/** Something that an agent asks to be allowed. */
export class PermissionRequest extends PermissionRequestSchema.class {
  declare [OptionalProps]?: "isExpired";

  /** Whether it ended because nobody had answered in time. */
  get isExpired(): boolean {
    return this.outcome === "expired" || (this.answeredAt !== null && this.answeredBy === "");
  }

  /** Whether whoever asked is still there. */
  isOf(turn: Turn): boolean {
    return isInFlight(turn.status) && turn.attempt === this.attempt && turn.sentLaunch === this.launch;
  }

  /** Gives the answer, which is then to be delivered. */
  answer(optionId: string | null, { by, now }: { readonly by: string; readonly now: Date }): void {
    Object.assign(this, { optionId, answeredAt: now, answeredBy: by });
  }
}
PermissionRequestSchema.setClass(PermissionRequest);

/** The options that mean a decision, the best one first. */
const kindsOf: Readonly<Record<PermissionDecision, readonly PermissionOptionKind[]>> = {
  allow_once: ["allow_once"],
  allow_always: ["allow_always"],
  reject: ["reject_once", "reject_always"],
};

/** The option that means this decision, or `undefined` where the agent offers none. */
export function optionFor(
  options: readonly PermissionOption[],
  decision: PermissionDecision,
): PermissionOption | undefined {
  return kindsOf[decision].map((kind) => options.find((option) => option.kind === kind)).find((option) => option);
}
