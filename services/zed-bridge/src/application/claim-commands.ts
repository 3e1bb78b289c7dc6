import type { SyncCommand } from "@helix-zed/sync-protocol";
import { type NextCommand, nextCommand } from "../domain/next-command.ts";
import type { ThreadMapping } from "../domain/thread-mapping.ts";
import type { Turn } from "../domain/turn.ts";
import type { ZedInstance } from "../domain/zed-instance.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import type { LinkId } from "./close-link.ts";
import { grantAgentAccess } from "./grant-agent-access.ts";
import { moveTurn, type ThreadScope } from "./thread-scope.ts";

// Claiming commands
//
// The only way to an editor. Which frame is due in a thread is decided in domain/next-command.ts from what the database
// says; here it is marked as given out, in the same transaction. The instance's row is locked for that time, so of two
// callers one finds nothing left. A frame that was claimed and never written is not given out again on the same link: the
// link ends, and what is due on the next one is decided anew.

/** The most commands of one thread at once: stop the last turn, then begin the next. */
const COMMANDS_MAX = 3;

/** The commands that are due on a link, each given out once; `null` for a link that is not the current one any more. */
export function claimCommands(app: App, { instanceId, epoch }: LinkId): Promise<SyncCommand[] | null> {
  const now = app.world.now();
  return app.database.transact(async (unit) => {
    const instance = await unit.instances.lock(instanceId);
    if (instance === null || !instance.connected || instance.linkEpoch !== epoch) return null;
    const commands = await claimAnswers(unit, { instanceId, epoch });
    for (const id of await unit.threads.idsWithWork({ instanceId, epoch })) {
      commands.push(...(await claimForThread(app, unit, instance, id, now)));
    }
    return commands;
  });
}

/** Answers to requests for permission, which wait for nothing: the agent that asked holds them up itself. */
async function claimAnswers(unit: Unit, link: LinkId): Promise<SyncCommand[]> {
  const due = await unit.permissions.claimAnswers(link);
  return due.map(({ hostPermissionId, optionId }) => ({
    type: "answer_permission",
    data: { permission_id: hostPermissionId, option_id: optionId },
  }));
}

async function claimForThread(
  app: App,
  unit: Unit,
  instance: ZedInstance,
  mappingId: string,
  now: Date,
): Promise<SyncCommand[]> {
  const mapping = await unit.threads.lock(mappingId);
  if (mapping === null) return [];
  const scope: ThreadScope = { unit, mapping, limits: app.limits, now };
  const owed = await unit.turns.owedCancels(mapping.id, instance.launchCount);
  const turns = [...owed, ...(await unit.turns.live(mapping.id))];
  const link = { epoch: instance.linkEpoch, ready: isReady(instance, app, now) };
  const commands: SyncCommand[] = [];
  while (commands.length < COMMANDS_MAX) {
    const thread = { ...threadFacts(scope) };
    const next = nextCommand({ thread, turns, link, now }, app.limits);
    if (next === null) break;
    const command = await giveOut(app, scope, instance, next, turns);
    if (command !== null) commands.push(command);
  }
  return commands;
}

/** Readiness gates what is sent; an editor that does not say that it is ready is given the benefit of the doubt. */
function isReady({ readyEpoch, linkEpoch, connectedAt }: ZedInstance, { limits }: App, now: Date): boolean {
  if (readyEpoch === linkEpoch) return true;
  return connectedAt !== null && now.getTime() - connectedAt.getTime() >= limits.readyTimeoutMs;
}

function threadFacts({ mapping }: ThreadScope) {
  const { status, zedThreadId, openedEpoch, openSentEpoch, openNotBefore } = mapping;
  return { status, zedThreadId, openedEpoch, openSentEpoch, openNotBefore, leased: mapping.leaseEpoch !== null };
}

async function giveOut(
  app: App,
  scope: ThreadScope,
  instance: ZedInstance,
  next: NextCommand,
  turns: readonly Turn[],
): Promise<SyncCommand | null> {
  if (next.kind === "open") return giveOutOpen(app, scope, instance, turns);
  const turn = turns.find(({ id }) => id === next.turnId);
  if (turn === undefined) throw new Error(`The turn ${next.turnId} is due and not there.`);
  if (next.kind === "send") return giveOutTurn(app, scope, instance, turn);
  if (next.kind === "probe") turn.probeSentEpoch = instance.linkEpoch;
  else turn.cancelSentEpoch = instance.linkEpoch;
  // What was typed in a thread that the bridge never said anything in has no name by which it could be stopped.
  return turn.nameInEditor === "" ? null : { type: "cancel_current_turn", data: { request_id: turn.nameInEditor } };
}

/** How the agent's session is to be set up, by whoever understands it. */
function settingsOf({ model, mode, permissionPolicy }: ThreadMapping, app: App) {
  return { model, mode, permission_policy: permissionPolicy ?? app.permissionPolicy };
}

async function giveOutOpen(
  app: App,
  scope: ThreadScope,
  instance: ZedInstance,
  turns: readonly Turn[],
): Promise<SyncCommand> {
  const { mapping, now } = scope;
  const { zedThreadId, agentName } = mapping;
  if (zedThreadId === null) throw new Error(`The thread ${mapping.id} has no name to open it by.`);
  mapping.openSentEpoch = instance.linkEpoch;
  mapping.openSentAt = now;
  // The editor may label what it says next with this id: it is the running turn's, else one that is no turn's.
  const requestId = turns.find(({ inFlight }) => inFlight)?.nameInEditor || mapping.id;
  const access = await grantAgentAccess(app, scope, instance);
  const thread = { acp_thread_id: zedThreadId, request_id: requestId, agent_name: agentName };
  return { type: "open_thread", data: { ...thread, ...settingsOf(mapping, app), ...access } };
}

async function giveOutTurn(app: App, scope: ThreadScope, instance: ZedInstance, turn: Turn): Promise<SyncCommand> {
  const { unit, mapping, now } = scope;
  moveTurn(scope, turn, "send");
  turn.attempt += 1;
  turn.sentEpoch = instance.linkEpoch;
  turn.sentLaunch = instance.launchCount;
  turn.sentAt = now;
  Object.assign(turn, { receivedAt: null, heardEpoch: 0, probeEpoch: 0, probeSentEpoch: 0, probeCancelledAt: null });
  turn.createsThread = mapping.zedThreadId === null;
  const promptId = await unit.entries.addPrompt(app.world.newId("ent"), turn, now);
  if (promptId !== null) unit.log.entry(mapping, promptId);
  const to = { acp_thread_id: mapping.zedThreadId, agent_name: mapping.agentName, ...settingsOf(mapping, app) };
  const access = turn.createsThread ? await grantAgentAccess(app, scope, instance) : {};
  const { id, message, attempt } = turn;
  return { type: "chat_message", data: { message, request_id: id, attempt, ...to, ...access, interrupt: false } };
}
