// What the authorization matrix knows of each RPC: who may call it, how it is called, and what it says about something
// that is not there. A request is made for a target; RPCs that address nothing make the same one for any.

import { TaskStatus, TaskType } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import { WorkSessionStatus } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import { PermissionDecision } from "@helix-zed/gen/helix/zed/v1/zed_thread_service_pb.ts";

/** Ids of things that belong together; of one tenant, or of nobody. */
export interface Target {
  readonly taskId: string;
  readonly sessionId: string;
  readonly instanceId: string;
  /** Of the lease on the session. */
  readonly epoch: bigint;
}

/** One RPC. */
export interface Entry {
  readonly caller: "user" | "runner";
  readonly request: (target: Target) => Record<string, unknown>;
  /** The reason that what is addressed is not found; `null` for RPCs that are always answered. */
  readonly absent: string | null;
  /** How a caller who may do it can nevertheless be refused, by the state of what is addressed. */
  readonly refusals?: readonly string[];
}

const user = "user";
const runner = "runner";
const noTask = "TASK_NOT_FOUND";
const noSession = "WORK_SESSION_NOT_FOUND";
const noThread = "ZED_THREAD_NOT_FOUND";
const noInstance = "ZED_INSTANCE_NOT_FOUND";

const ofTask = ({ taskId }: Target): Record<string, unknown> => ({ taskId });
const task = ({ taskId: id }: Target): Record<string, unknown> => ({ id });
const session = ({ sessionId: id }: Target): Record<string, unknown> => ({ id });
const thread = ({ sessionId: workSessionId }: Target): Record<string, unknown> => ({ workSessionId });
const instance = ({ instanceId: id }: Target): Record<string, unknown> => ({ id });

const tasks: Readonly<Record<string, Entry>> = {
  CreateTask: {
    caller: user,
    request: () => ({ name: "New", taskType: TaskType.BATCH, workSessions: [{ name: "a", agentType: "simple" }] }),
    absent: null,
  },
  ListTasks: { caller: user, request: () => ({ pageSize: 1_000 }), absent: null },
  GetTask: { caller: user, request: task, absent: noTask },
  WatchTasks: { caller: user, request: ({ taskId }) => ({ taskIds: [taskId] }), absent: noTask },
  UpdateTaskStatus: {
    caller: user,
    request: ({ taskId: id }) => ({ id, status: TaskStatus.CANCELLED }),
    absent: noTask,
  },
  DeleteTask: { caller: user, request: task, absent: noTask },
};

const workSessions: Readonly<Record<string, Entry>> = {
  CreateWorkSession: {
    caller: user,
    request: ({ taskId }) => ({ taskId, name: "More", agentType: "simple" }),
    absent: noTask,
  },
  ListWorkSessions: { caller: user, request: ofTask, absent: noTask },
  GetWorkSession: { caller: user, request: session, absent: noSession },
  WatchWorkSessions: { caller: user, request: ofTask, absent: noTask },
  UpdateWorkSessionStatus: {
    caller: user,
    request: ({ sessionId: id }) => ({ id, status: WorkSessionStatus.CANCELLED }),
    absent: noSession,
  },
};

const runners: Readonly<Record<string, Entry>> = {
  ClaimWorkSession: { caller: runner, request: ({ sessionId: id }) => ({ id, runner: "matrix" }), absent: noSession },
  RenewLeases: {
    caller: runner,
    request: ({ sessionId: workSessionId, epoch }) => ({ runner: "matrix", leases: [{ workSessionId, epoch }] }),
    absent: null,
  },
  ReleaseWorkSession: { caller: runner, request: ({ sessionId: id, epoch }) => ({ id, epoch }), absent: noSession },
  BindHelixSession: {
    caller: runner,
    request: ({ sessionId: id, epoch: leaseEpoch }) => ({ id, leaseEpoch, helixSessionId: `ses_of_${id}` }),
    absent: noSession,
  },
};

const zedThreads: Readonly<Record<string, Entry>> = {
  GetZedThread: { caller: user, request: thread, absent: noThread },
  ListEntries: { caller: user, request: thread, absent: noThread },
  WatchZedThread: { caller: user, request: thread, absent: noThread },
  CreateZedThread: { caller: user, request: thread, absent: noSession },
  SendMessage: { caller: user, request: (target) => ({ ...thread(target), message: "Go on." }), absent: noSession },
  AnswerPermission: {
    caller: user,
    request: (target) => ({
      ...thread(target),
      permissionId: "prm_0",
      answer: { case: "decision", value: PermissionDecision.REJECT },
    }),
    absent: noThread,
    refusals: ["PERMISSION_NOT_FOUND"],
  },
  CancelTurn: { caller: user, request: thread, absent: noThread, refusals: ["TURN_NOT_FOUND", "NO_TURN_TO_CANCEL"] },
};

const zedInstances: Readonly<Record<string, Entry>> = {
  ListZedInstances: { caller: user, request: () => ({}), absent: null },
  GetZedInstance: { caller: user, request: instance, absent: noInstance },
  AdoptZedInstance: {
    caller: user,
    request: ({ taskId, sessionId }) => ({ taskId, zedSessionId: `ses_of_${sessionId}`, workingDirectory: "/sandbox" }),
    absent: noTask,
  },
  IssueZedInstanceToken: { caller: user, request: instance, absent: noInstance, refusals: ["INSTANCE_NOT_EXTERNAL"] },
  RevokeZedInstanceToken: { caller: user, request: instance, absent: noInstance },
  StopZedInstance: { caller: user, request: instance, absent: noInstance },
};

/** All entries by the RPC's full name; those that end something come last. */
export const entries: Readonly<Record<string, Entry>> = {
  ...named("helix.task.v1.TaskService", tasks),
  ...named("helix.task.v1.WorkSessionService", workSessions),
  ...named("helix.task.v1.RunnerService", runners),
  ...named("helix.zed.v1.ZedThreadService", zedThreads),
  ...named("helix.zed.v1.ZedInstanceService", zedInstances),
  "helix.zed.v1.ZedThreadService/DeleteZedThread": { caller: user, request: thread, absent: noThread },
};

function named(service: string, methods: Readonly<Record<string, Entry>>): Record<string, Entry> {
  return Object.fromEntries(Object.entries(methods).map(([name, entry]) => [`${service}/${name}`, entry]));
}
