import type { SyncEvent } from "@helix-zed/sync-protocol";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { clean, type EventScope, openEvent, showAlive, whyNot } from "./event-scope.ts";
import { followAsking } from "./follow-asking.ts";
import { counted, type EventSource, ignored, type ReceivedEvent } from "./received-event.ts";
import { moveTurn } from "./thread-scope.ts";

/** More requests at once than this are left to the host, which rejects them in time. */
const OPEN_PER_TURN_MAX = 100;

/** The agent asks to be allowed something: its turn waits. Told again, it is the same request. */
export async function receivePermissionRequested(
  app: App,
  unit: Unit,
  source: EventSource,
  data: SyncEvent<"permission_requested">["data"],
): Promise<ReceivedEvent> {
  const { acp_thread_id: threadId, request_id: requestId, permission_id: hostPermissionId } = data;
  const scope = await openEvent(app, unit, source, { threadId, requestId });
  if (scope === null) return ignored("the thread is not known");
  const why = whyNot(scope);
  const { turn, mapping } = scope;
  if (turn === null || why !== null) return ignored(why ?? "");
  showAlive(scope);
  if (await unit.permissions.findOfHost(mapping.id, hostPermissionId)) return ignored("it is known already");
  const open = await unit.permissions.unresolved(turn);
  if (open.length >= OPEN_PER_TURN_MAX) return ignored("the turn asks for too much at once");
  unit.permissions.add({
    id: app.world.newId("prm"),
    turn,
    hostPermissionId,
    ...said(app, scope, data),
    requestedAt: scope.now,
    expiresAt: new Date(scope.now.getTime() + app.limits.permissionTimeoutMs),
  });
  // What was to be cancelled before it had begun can be now.
  if (turn.status === "sent") turn.cancelSentEpoch = 0;
  moveTurn(scope, turn, "ask");
  unit.log.turn(mapping, turn.id);
  return { wake: turn.cancelRequestedAt !== null, ignored: null };
}

function said(app: App, scope: EventScope, data: SyncEvent<"permission_requested">["data"]) {
  const withoutSecrets = (text: string): string => clean(app, scope, text);
  return {
    title: withoutSecrets(data.title),
    toolName: withoutSecrets(data.tool_name),
    options: data.options.map(({ option_id: id, name, kind }) => ({ id, name: withoutSecrets(name), kind })),
  };
}

/** The host has taken the answer, or has ended the request by itself. */
export async function receivePermissionResolved(
  app: App,
  unit: Unit,
  { instanceId }: EventSource,
  { permission_id: hostPermissionId, outcome }: SyncEvent<"permission_resolved">["data"],
): Promise<ReceivedEvent> {
  const mappingId = await unit.permissions.mappingOf(instanceId, hostPermissionId);
  const mapping = mappingId === null ? null : await unit.threads.lock(mappingId);
  if (mapping === null) return ignored("the request is not known");
  const request = await unit.permissions.findOfHost(mapping.id, hostPermissionId);
  if (request === null || request.resolvedAt !== null) return ignored("the request has ended already");
  const now = app.world.now();
  Object.assign(request, { resolvedAt: now, outcome });
  await unit.em.flush();
  const turn = await unit.turns.find(mapping.id, request.turnId);
  if (turn === null || !request.isOf(turn)) return ignored("the attempt that asked is over");
  await followAsking({ unit, mapping, limits: app.limits, now }, turn);
  unit.log.turn(mapping, turn.id);
  return counted;
}
