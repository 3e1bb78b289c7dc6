import type {
  PermissionOptionKind,
  RequestPermissionRequest,
  RequestPermissionResponse,
} from "@agentclientprotocol/sdk/unstable";
import type { ToolStatus } from "@helix-zed/sync-protocol";
import type { World } from "./world.ts";

/** What the agent is told, and what the tool call shows from then on. */
export interface PermissionAnswer {
  readonly response: RequestPermissionResponse;
  readonly status: ToolStatus;
}

// "Once" before "always": what is allowed for good should be somebody's decision.
const preferences: Readonly<Record<"allow" | "reject", readonly PermissionOptionKind[]>> = {
  allow: ["allow_once", "allow_always"],
  reject: ["reject_once", "reject_always"],
};

const cancelled: PermissionAnswer = { response: { outcome: { outcome: "cancelled" } }, status: "Canceled" };

/** Picks the agent's option that means this decision; nothing if it offers none. */
export function answerPermission(
  request: RequestPermissionRequest,
  decision: "allow" | "reject",
): PermissionAnswer | undefined {
  const option = preferences[decision]
    .map((kind) => request.options.find((offered) => offered.kind === kind))
    .find((offered) => offered !== undefined);
  if (option === undefined) return undefined;
  const response: RequestPermissionResponse = { outcome: { outcome: "selected", optionId: option.optionId } };
  return { response, status: decision === "allow" ? "In Progress" : "Rejected" };
}

/**
 * Requests that nobody has decided. The sync protocol has no command for a decision, so they end
 * when their turn is cancelled, or are rejected after a time limit, so that no agent waits for ever.
 */
export class PendingPermissions {
  readonly #world: World;
  readonly #limitMs: number;
  readonly #waiting = new Set<() => void>();

  constructor(world: World, limitMs: number) {
    this.#world = world;
    this.#limitMs = limitMs;
  }

  /** Waits for the end of a request. */
  async wait(request: RequestPermissionRequest): Promise<PermissionAnswer> {
    const answer = Promise.withResolvers<PermissionAnswer>();
    const cancel = (): void => answer.resolve(cancelled);
    const timer = this.#world.after(this.#limitMs, () =>
      answer.resolve(answerPermission(request, "reject") ?? cancelled),
    );
    this.#waiting.add(cancel);
    try {
      return await answer.promise;
    } finally {
      timer.cancel();
      this.#waiting.delete(cancel);
    }
  }

  cancelAll(): void {
    for (const cancel of this.#waiting) cancel();
  }
}
