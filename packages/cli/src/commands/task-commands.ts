import { waitForTask } from "@helix-zed/client";
import { type Task, TaskSchema, TaskStatus, TaskType } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import type { Command } from "commander";
import { allPages } from "../all-pages.ts";
import { enumText, taskColumns } from "../columns.ts";
import { CliError, exitCodes } from "../exit-codes.ts";
import { enumOption, limitOption, wholeNumber } from "../options.ts";
import { required } from "../required.ts";
import type { OpenSession, Session } from "../session.ts";
import { followWatch } from "../follow-watch.ts";

interface CreateOptions {
  readonly type: TaskType;
  readonly description?: string;
  readonly path?: string;
  readonly priority?: number;
  readonly agent?: readonly string[];
  readonly requestId?: string;
}

/** `helix-zed task …` */
export function addTaskCommands(program: Command, open: OpenSession): void {
  const tasks = program.command("task").description("Pieces of work that one or more agents carry out");
  addCreate(tasks, open);
  addReads(tasks, open);
  addEnds(tasks, open);
}

function addCreate(tasks: Command, open: OpenSession): void {
  tasks
    .command("create <name>")
    .description("Create a task and its first work sessions")
    .addOption(enumOption("-t, --type <type>", "how it ends", TaskType).default(TaskType.BATCH, "batch"))
    .option("-d, --description <text>", "what is to be done")
    .option("-p, --path <folder>", "where: an absolute path on the host that runs the editor")
    .option("--priority <number>", "a lower number is more urgent", wholeNumber(-1_000, 1_000))
    .option("-a, --agent <type...>", "a work session for each of these agent types; one by default")
    .option("--request-id <uuid>", "makes the command safe to repeat")
    .action(async (name: string, options: CreateOptions) => {
      const { client, output, signal } = open();
      const request = {
        name,
        taskType: options.type,
        description: options.description ?? "",
        projectPath: options.path ?? "",
        priority: options.priority ?? 0,
        workSessions: (options.agent ?? []).map((agentType) => ({ name: `${name}: ${agentType}`, agentType })),
        ...(options.requestId === undefined ? {} : { requestId: options.requestId }),
      };
      const { task } = await client.tasks.createTask(request, { signal });
      output.resource(TaskSchema, required(task), taskColumns);
    });
}

function addReads(tasks: Command, open: OpenSession): void {
  tasks
    .command("list")
    .description("List tasks, newest first unless told otherwise")
    .option("-f, --filter <filter>", 'for example: status = "active" AND priority < 0')
    .option("-o, --order-by <fields>", 'for example: "priority, created_at desc"')
    .addOption(limitOption())
    .action(async ({ filter = "", orderBy = "", limit }: { filter?: string; orderBy?: string; limit: number }) => {
      const { client, output, signal } = open();
      const rows = await allPages(limit, async (page) => {
        const answer = await client.tasks.listTasks({ filter, orderBy, ...page }, { signal });
        return { rows: answer.tasks, nextPageToken: answer.nextPageToken };
      });
      output.resources(TaskSchema, rows, taskColumns);
    });
  tasks
    .command("get <id>")
    .description("Show one task")
    .action(async (id: string) => {
      const { client, output, signal } = open();
      const { task } = await client.tasks.getTask({ id }, { signal });
      output.resource(TaskSchema, required(task), taskColumns);
    });
  tasks
    .command("watch [id...]")
    .description("Show tasks as they are and each change, until they have ended or Ctrl-C")
    .option("-f, --filter <filter>", "only tasks that match")
    .action(async (taskIds: string[], { filter = "" }: { filter?: string }) => {
      const session = open();
      const watch = session.client.watchTasks({ taskIds, filter }, { signal: session.signal });
      await followWatch(session, watch, ({ event }) => {
        if (event.case !== "changed" || event.value.resource.case !== "task") return;
        session.output.change(TaskSchema, event.value.resource.value, taskColumns);
      });
    });
}

function addEnds(tasks: Command, open: OpenSession): void {
  tasks
    .command("wait <id>")
    .description("Wait until a task has ended; fails unless it is completed")
    .action(async (id: string) => {
      const session = open();
      const task = await waitForTask(session.client, id, undefined, { signal: session.signal });
      session.output.resource(TaskSchema, task, taskColumns);
      if (task.status !== TaskStatus.COMPLETED) throw unsuccessful(task);
    });
  for (const [name, status] of [
    ["complete", TaskStatus.COMPLETED],
    ["cancel", TaskStatus.CANCELLED],
  ] as const) {
    tasks
      .command(`${name} <id>`)
      .description(name === "cancel" ? "Give a task up, and its work sessions with it" : "Say that a task is done")
      .option("-r, --reason <text>", "why")
      .action((id: string, { reason = "" }: { reason?: string }) => end(open(), { id, status, reason }));
  }
  tasks
    .command("delete <id>")
    .description("Delete a task with everything that belongs to it")
    .action(async (id: string) => {
      const { client, signal } = open();
      await client.tasks.deleteTask({ id }, { signal });
    });
}

interface End {
  readonly id: string;
  readonly status: TaskStatus;
  readonly reason: string;
}

async function end({ client, output, signal }: Session, request: End): Promise<void> {
  const { task } = await client.tasks.updateTaskStatus(request, { signal });
  output.resource(TaskSchema, required(task), taskColumns);
}

function unsuccessful({ id, status, statusReason }: Task): CliError {
  const why = statusReason === "" ? "" : `: ${statusReason}`;
  return new CliError(`The task ${id} is ${enumText(TaskStatus, status)}${why}.`, exitCodes.unsuccessful);
}
