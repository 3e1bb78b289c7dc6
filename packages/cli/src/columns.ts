import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { type Task, TaskStatus, TaskType } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import { type WorkSession, WorkSessionStatus } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import { type ZedInstance, ZedInstanceStatus } from "@helix-zed/gen/helix/zed/v1/zed_instance_pb.ts";
import { type Turn, TurnStatus, type ZedThread, ZedThreadStatus } from "@helix-zed/gen/helix/zed/v1/zed_thread_pb.ts";
import type { Column } from "./output.ts";

/** The name of an enum value as the services store it; one that this program does not know yet by its number. */
export function enumText(names: Readonly<Record<string, string | number>>, value: number): string {
  const name = Object.entries(names).find(([, number]) => number === value)?.[0];
  return name === undefined ? `unknown (${value})` : name.toLowerCase();
}

/** A time in UTC to the second; empty for none. */
function time(value: Timestamp | undefined): string {
  return value === undefined
    ? ""
    : timestampDate(value)
        .toISOString()
        .replace(/\.\d+Z$/, "Z");
}

function status(text: string, reason: string): string {
  return reason === "" ? text : `${text} (${reason})`;
}

export const taskColumns: readonly Column<Task>[] = [
  { title: "ID", value: ({ id }) => id },
  { title: "TYPE", value: ({ taskType }) => enumText(TaskType, taskType) },
  { title: "STATUS", value: (task) => status(enumText(TaskStatus, task.status), task.statusReason) },
  { title: "UPDATED", value: ({ updatedAt }) => time(updatedAt) },
  { title: "NAME", value: ({ name }) => name },
];

export const workSessionColumns: readonly Column<WorkSession>[] = [
  { title: "ID", value: ({ id }) => id },
  { title: "AGENT", value: ({ agentType }) => agentType },
  { title: "STATUS", value: (session) => status(enumText(WorkSessionStatus, session.status), session.statusReason) },
  { title: "UPDATED", value: ({ updatedAt }) => time(updatedAt) },
  { title: "NAME", value: ({ name }) => name },
];

export const threadColumns: readonly Column<ZedThread>[] = [
  { title: "WORK SESSION", value: ({ workSessionId }) => workSessionId },
  { title: "STATUS", value: (thread) => status(enumText(ZedThreadStatus, thread.status), thread.statusReason) },
  { title: "AGENT", value: ({ agentName }) => agentName },
  { title: "TURN", value: ({ latestTurn }) => (latestTurn === undefined ? "" : turnText(latestTurn)) },
  { title: "QUEUED", value: ({ queuedTurnCount }) => String(queuedTurnCount) },
  { title: "FOLDER", value: ({ projectPath }) => projectPath },
];

export const turnColumns: readonly Column<Turn>[] = [
  { title: "ID", value: ({ id }) => id },
  { title: "NUMBER", value: ({ number }) => String(number) },
  { title: "STATUS", value: turnText },
  { title: "MESSAGE", value: ({ message }) => message },
];

export const instanceColumns: readonly Column<ZedInstance>[] = [
  { title: "ID", value: ({ id }) => id },
  { title: "TARGET", value: ({ launchTarget }) => launchTarget },
  { title: "STATUS", value: (each) => status(enumText(ZedInstanceStatus, each.status), each.statusReason) },
  { title: "PID", value: ({ pid }) => (pid === 0 ? "" : String(pid)) },
  { title: "RESTARTS", value: ({ restartCount }) => String(restartCount) },
  { title: "FOLDER", value: ({ workingDirectory }) => workingDirectory },
];

/** A turn in a few words. */
export function turnText(turn: Turn): string {
  const text = status(enumText(TurnStatus, turn.status), turn.statusReason);
  return turn.stalled ? `${text}, stalled` : text;
}
