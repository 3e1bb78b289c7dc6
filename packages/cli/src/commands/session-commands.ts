import { waitForWorkSession } from "@helix-zed/client";
import {
  type WorkSession,
  WorkSessionSchema,
  WorkSessionStatus,
} from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { Command } from "commander";
import { allPages } from "../all-pages.ts";
import { enumText, workSessionColumns } from "../columns.ts";
import { CliError, exitCodes } from "../exit-codes.ts";
import { followWatch } from "../follow-watch.ts";
import { limitOption } from "../options.ts";
import { required } from "../required.ts";
import type { OpenSession } from "../session.ts";

interface CreateOptions {
  readonly agent: string;
  readonly description?: string;
  readonly requestId?: string;
}

/** `helix-zed session …` */
export function addSessionCommands(program: Command, open: OpenSession): void {
  const sessions = program.command("session").description("The parts of a task: one agent's work each");
  addCreate(sessions, open);
  addReads(sessions, open);
  addEnds(sessions, open);
}

function addCreate(sessions: Command, open: OpenSession): void {
  sessions
    .command("create <task-id> <name>")
    .description("Add a work session to a task")
    .requiredOption("-a, --agent <type>", "which kind of agent works in it: zed_agent, zed_claude_code …")
    .option("-d, --description <text>", "what it is to do")
    .option("--request-id <uuid>", "makes the command safe to repeat")
    .action(async (taskId: string, name: string, options: CreateOptions) => {
      const { client, output, signal } = open();
      const request = {
        taskId,
        name,
        agentType: options.agent,
        description: options.description ?? "",
        ...(options.requestId === undefined ? {} : { requestId: options.requestId }),
      };
      const { workSession } = await client.workSessions.createWorkSession(request, { signal });
      output.resource(WorkSessionSchema, required(workSession), workSessionColumns);
    });
}

function addReads(sessions: Command, open: OpenSession): void {
  sessions
    .command("list <task-id>")
    .description("List a task's work sessions")
    .option("-f, --filter <filter>", 'for example: agent_type = "zed_agent"')
    .option("-o, --order-by <fields>", "for example: created_at")
    .addOption(limitOption())
    .action(async (taskId: string, options: { filter?: string; orderBy?: string; limit: number }) => {
      const { client, output, signal } = open();
      const { filter = "", orderBy = "", limit } = options;
      const rows = await allPages(limit, async (page) => {
        const request = { taskId, filter, orderBy, ...page };
        const answer = await client.workSessions.listWorkSessions(request, { signal });
        return { rows: answer.workSessions, nextPageToken: answer.nextPageToken };
      });
      output.resources(WorkSessionSchema, rows, workSessionColumns);
    });
  sessions
    .command("get <id>")
    .description("Show one work session")
    .action(async (id: string) => {
      const { client, output, signal } = open();
      const { workSession } = await client.workSessions.getWorkSession({ id }, { signal });
      output.resource(WorkSessionSchema, required(workSession), workSessionColumns);
    });
  sessions
    .command("watch [task-id]")
    .description("Show work sessions as they are and each change, of one task or of all")
    .action(async (taskId: string | undefined) => {
      const session = open();
      const watch = session.client.watchWorkSessions({ taskId: taskId ?? "" }, { signal: session.signal });
      await followWatch(session, watch, ({ event }) => {
        const seen = event.case === "changed" ? event.value.workSession : undefined;
        if (seen !== undefined) session.output.change(WorkSessionSchema, seen, workSessionColumns);
      });
    });
}

function addEnds(sessions: Command, open: OpenSession): void {
  sessions
    .command("wait <id>")
    .description("Wait until a work session has ended; fails unless it is completed")
    .action(async (id: string) => {
      const { client, output, signal } = open();
      const session = await waitForWorkSession(client, id, undefined, { signal });
      output.resource(WorkSessionSchema, session, workSessionColumns);
      output.text(session.result?.summary ?? "");
      if (session.status !== WorkSessionStatus.COMPLETED) throw unsuccessful(session);
    });
  sessions
    .command("cancel <id>")
    .description("Give a work session up")
    .option("-r, --reason <text>", "why")
    .action(async (id: string, { reason = "" }: { reason?: string }) => {
      const { client, output, signal } = open();
      const request = { id, status: WorkSessionStatus.CANCELLED, reason };
      const { workSession } = await client.workSessions.updateWorkSessionStatus(request, { signal });
      output.resource(WorkSessionSchema, required(workSession), workSessionColumns);
    });
}

function unsuccessful({ id, status, statusReason, result }: WorkSession): CliError {
  const why = result?.error || statusReason;
  const text = `The work session ${id} is ${enumText(WorkSessionStatus, status)}`;
  return new CliError(why === "" ? `${text}.` : `${text}: ${why}`, exitCodes.unsuccessful);
}
