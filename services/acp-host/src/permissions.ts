import type {
  PermissionOptionKind,
  RequestPermissionRequest,
  RequestPermissionResponse,
} from "@agentclientprotocol/sdk/unstable";
import type { PermissionOutcome, ToolStatus } from "@helix-zed/sync-protocol";

/** What the agent is told, and what the tool call shows from then on. */
export interface PermissionAnswer {
  readonly response: RequestPermissionResponse;
  readonly status: ToolStatus;
  /** What the server is told. */
  readonly outcome: PermissionOutcome;
}

// "Once" before "always": what is allowed for good should be somebody's decision.
const preferences: Readonly<Record<"allow" | "reject", readonly PermissionOptionKind[]>> = {
  allow: ["allow_once", "allow_always"],
  reject: ["reject_once", "reject_always"],
};

/** The request is not answered: its turn has ended, or there is no option that says what was decided. */
export const withdrawn: PermissionAnswer = {
  response: { outcome: { outcome: "cancelled" } },
  status: "Canceled",
  outcome: "withdrawn",
};

/** Picks the agent's option that means this decision; nothing if it offers none. */
export function answerPermission(
  request: RequestPermissionRequest,
  decision: "allow" | "reject",
): PermissionAnswer | undefined {
  const option = preferences[decision]
    .map((kind) => request.options.find((offered) => offered.kind === kind))
    .find((offered) => offered !== undefined);
  return option === undefined ? undefined : answerWith(request, option.optionId);
}

/** Answers with one of the agent's own options; nothing if it offers no such one. */
export function answerWith(request: RequestPermissionRequest, optionId: string): PermissionAnswer | undefined {
  const option = request.options.find((offered) => offered.optionId === optionId);
  if (option === undefined) return undefined;
  const rejects = option.kind === "reject_once" || option.kind === "reject_always";
  const response: RequestPermissionResponse = { outcome: { outcome: "selected", optionId } };
  return rejects
    ? { response, status: "Rejected", outcome: "rejected" }
    : { response, status: "In Progress", outcome: "allowed" };
}
