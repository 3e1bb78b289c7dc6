import { waitForTurn } from "@helix-zed/client";
import {
  type Entry,
  EntryRole,
  EntrySchema,
  EntryType,
  type Turn,
  TurnSchema,
  TurnStatus,
  ZedThreadSchema,
} from "@helix-zed/gen/helix/zed/v1/zed_thread_pb.ts";
import type { Command } from "commander";
import { allPages } from "../all-pages.ts";
import { threadColumns, turnColumns, turnText } from "../columns.ts";
import { CliError, exitCodes } from "../exit-codes.ts";
import { followWatch } from "../follow-watch.ts";
import { required } from "../required.ts";
import type { OpenSession, Session } from "../session.ts";
import { TranscriptPrinter } from "../transcript-printer.ts";

/** `helix-zed thread …` */
export function addThreadCommands(program: Command, open: OpenSession, readInput: () => Promise<string>): void {
  const threads = program.command("thread").description("The conversations of work sessions with their agents");
  addReads(threads, open);
  addSend(threads, open, readInput);
  addCancel(threads, open);
}

function addReads(threads: Command, open: OpenSession): void {
  threads
    .command("get <work-session-id>")
    .description("Show where a thread stands")
    .action(async (workSessionId: string) => {
      const { client, output, signal } = open();
      const { zedThread } = await client.zedThreads.getZedThread({ workSessionId }, { signal });
      output.resource(ZedThreadSchema, required(zedThread), threadColumns);
    });
  threads
    .command("entries <work-session-id>")
    .description("Print a transcript as it is")
    .action(async (workSessionId: string) => {
      const { client, output, signal } = open();
      const printer = new TranscriptPrinter(output);
      for (const entry of await entriesOf({ client, signal }, workSessionId)) printer.print(entry);
      printer.end();
    });
  threads
    .command("tail <work-session-id>")
    .description("Print a transcript while it grows, until the thread has ended or Ctrl-C")
    .action(async (workSessionId: string) => {
      const session = open();
      const printer = new TranscriptPrinter(session.output);
      const watch = session.client.watchZedThread({ workSessionId }, { signal: session.signal });
      try {
        await followWatch(session, watch, ({ event }) => {
          if (event.case !== "changed" || event.value.resource.case !== "entry") return;
          printer.print(event.value.resource.value);
        });
      } finally {
        printer.end();
      }
    });
}

function entriesOf({ client, signal }: Pick<Session, "client" | "signal">, workSessionId: string): Promise<Entry[]> {
  return allPages(Number.POSITIVE_INFINITY, async (page) => {
    const answer = await client.zedThreads.listEntries({ workSessionId, ...page }, { signal });
    return { rows: answer.entries, nextPageToken: answer.nextPageToken };
  });
}

interface SendOptions {
  readonly interrupt?: boolean;
  readonly wait?: boolean;
  readonly requestId?: string;
}

function addSend(threads: Command, open: OpenSession, readInput: () => Promise<string>): void {
  threads
    .command("send <work-session-id> [message]")
    .description("Say something to the agent; without a message, what comes in on standard input")
    .option("-i, --interrupt", "stop the turn that runs, and go before those that wait")
    .option("-w, --wait", "wait for the answer and print it; fails unless the turn is completed")
    .option("--request-id <uuid>", "makes the command safe to repeat")
    .action(async (workSessionId: string, given: string | undefined, options: SendOptions) => {
      const session = open();
      const message = given ?? (await readInput());
      const { turn } = await session.client.zedThreads.sendMessage(
        {
          workSessionId,
          message,
          interrupt: options.interrupt ?? false,
          ...(options.requestId === undefined ? {} : { requestId: options.requestId }),
        },
        { signal: session.signal },
      );
      if (options.wait === true) await waitForAnswer(session, workSessionId, required(turn).id);
      else session.output.resource(TurnSchema, required(turn), turnColumns);
    });
}

async function waitForAnswer(session: Session, workSessionId: string, turnId: string): Promise<void> {
  const { client, output, signal } = session;
  const turn = await waitForTurn(client, { workSessionId, turnId }, undefined, { signal });
  const said = (await entriesOf(session, workSessionId)).filter(
    (entry) => entry.turnId === turnId && entry.role === EntryRole.ASSISTANT && entry.type === EntryType.TEXT,
  );
  for (const entry of said) {
    if (output.asJson) output.json(EntrySchema, entry);
    else output.text(entry.content);
  }
  if (turn.status !== TurnStatus.COMPLETED) throw unsuccessful(turn);
}

function addCancel(threads: Command, open: OpenSession): void {
  threads
    .command("cancel <work-session-id> [turn-id]")
    .description("Stop the turn that runs, or take a queued one back")
    .action(async (workSessionId: string, turnId: string | undefined) => {
      const { client, output, signal } = open();
      const { turn } = await client.zedThreads.cancelTurn({ workSessionId, turnId: turnId ?? "" }, { signal });
      output.resource(TurnSchema, required(turn), turnColumns);
    });
}

function unsuccessful(turn: Turn): CliError {
  const why = turn.error === "" ? "" : `: ${turn.error}`;
  return new CliError(`The turn ${turn.id} is ${turnText(turn)}${why}`, exitCodes.unsuccessful);
}
