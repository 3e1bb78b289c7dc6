import { type Actor, nameOf, Refusal } from "@helix-zed/domain";
import {
  optionFor,
  type PermissionDecision,
  type PermissionOption,
  type PermissionRequest,
} from "../domain/permission-request.ts";
import type { Reason } from "../domain/reason.ts";
import type { Turn } from "../domain/turn.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { keyFor, threadNotFound } from "./thread-view.ts";

/** Which request, and what to answer: an option by its id, or what it is to mean. */
export interface AnswerPermission {
  readonly workSessionId: string;
  readonly permissionId: string;
  readonly answer: { readonly optionId: string } | { readonly decision: PermissionDecision };
}

/**
 * Answers a request for permission; the host is told, and its turn goes on. The same answer again changes nothing. Refuses
 * with PERMISSION_NOT_FOUND, PERMISSION_NOT_ANSWERABLE, PERMISSION_OPTION_UNKNOWN, PERMISSION_OPTION_NOT_OFFERED,
 * PERMISSION_ANSWERED, PERMISSION_EXPIRED, PERMISSION_WITHDRAWN.
 */
export function answerPermission(app: App, actor: Actor, command: AnswerPermission): Promise<Turn> {
  const now = app.world.now();
  return app.database.transact(async (unit) => {
    const mapping = await unit.threads.lockVisible(keyFor(actor, command.workSessionId));
    if (mapping === null) throw threadNotFound(command.workSessionId);
    const request = await unit.permissions.find(mapping.id, command.permissionId);
    if (request === null) throw await whyNotFound(unit, mapping.id, command.permissionId);
    const turn = await unit.turns.find(mapping.id, request.turnId);
    if (turn === null) throw new Error(`The turn ${request.turnId} of a request for permission is not there.`);
    const optionId = chooseOption(request, command.answer);
    if (request.answeredBy !== "" && request.optionId === optionId) return turn;
    requireOpen(request, turn);
    request.answer(optionId, { by: nameOf(actor), now });
    unit.log.turn(mapping, turn.id);
    unit.ringInstance(mapping.zedSessionId);
    return turn;
  });
}

function chooseOption({ options }: PermissionRequest, answer: AnswerPermission["answer"]): string | null {
  if ("optionId" in answer) {
    if (options.some(({ id }) => id === answer.optionId)) return answer.optionId;
    throw notAnOption("PERMISSION_OPTION_UNKNOWN", `The agent offers no option ${answer.optionId}.`, options);
  }
  const option = optionFor(options, answer.decision);
  if (option !== undefined) return option.id;
  if (answer.decision === "reject") return null;
  throw notAnOption("PERMISSION_OPTION_NOT_OFFERED", `The agent offers no option ${answer.decision}.`, options);
}

function notAnOption(reason: Reason, message: string, options: readonly PermissionOption[]): Refusal<Reason> {
  return new Refusal(reason, message, { option_ids: options.map(({ id }) => id).join(",") });
}

function requireOpen(request: PermissionRequest, turn: Turn): void {
  const { id, outcome } = request;
  const metadata = { permission_id: id, turn_id: turn.id, turn_status: turn.status, ...(outcome && { outcome }) };
  if (request.isExpired) {
    throw new Refusal<Reason>("PERMISSION_EXPIRED", "Nobody had answered in time: it was rejected.", metadata);
  }
  if (request.answeredAt !== null) {
    throw new Refusal<Reason>("PERMISSION_ANSWERED", "It was answered otherwise.", metadata);
  }
  if (request.resolvedAt === null && request.isOf(turn)) return;
  throw new Refusal<Reason>("PERMISSION_WITHDRAWN", "The agent no longer asks: what had asked is over.", metadata);
}

async function whyNotFound(unit: Unit, mappingId: string, permissionId: string): Promise<Refusal<Reason>> {
  const turn = await unit.turns.inFlight(mappingId);
  const metadata = { permission_id: permissionId };
  if (turn?.status === "waiting" && (await unit.permissions.unresolved(turn)).length === 0) {
    const message = "The agent asks in its editor's own window, and only there can it be answered.";
    return new Refusal("PERMISSION_NOT_ANSWERABLE", message, { ...metadata, turn_id: turn.id });
  }
  const resource = { type: "PermissionRequest", name: permissionId };
  return new Refusal("PERMISSION_NOT_FOUND", "The thread has no such request for permission.", metadata, { resource });
}
