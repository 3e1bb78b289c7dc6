import type { AgentRecord } from "@helix-zed/harness/fake-zed/zed-data-folder.ts";
import { ThreadEntry } from "../../../services/zed-bridge/src/domain/thread-entry.ts";
import type { Desk } from "../kit/desk.ts";
import type { LinkStage } from "../kit/link-stage.ts";
import { endOf } from "./behaviour.ts";
import type { AcceptedPrompt, Playground, SeenTurn } from "./playground.ts";

// A turn is not asked after while a tool of it runs, nor when it was heard of on the present link. Where the news of its
// end is lost and one of these is the last that was heard, only the limit on a whole turn ends it.
const WAITED_FOR: ReadonlySet<string> = new Set(["usesTools", "goesOnAfterItsEnd"]);

/** Everything about one turn, from all sides. */
interface Case {
  readonly prompt: AcceptedPrompt;
  readonly seen: SeenTurn;
  readonly records: readonly AgentRecord[];
  readonly entries: readonly ThreadEntry[];
}

/** What is wrong with how a schedule ended; empty for nothing. */
export async function judge(stage: LinkStage, ground: Playground): Promise<string[]> {
  const problems: string[] = [];
  for (const [who, desk] of ground.desks.entries()) {
    const prompts = ground.accepted.filter((prompt) => prompt.who === who);
    const entries = await entriesOf(stage, desk);
    for (const prompt of prompts) {
      const seen = ground.seen.get(prompt.turnId);
      if (seen === undefined) throw new Error(`${prompt.name} was never looked at.`);
      const records = desk.data.records.filter(({ requestId }) => requestId === prompt.turnId);
      const own = entries.filter(({ turnId }) => turnId === prompt.turnId);
      problems.push(...judgeTurn({ prompt, seen, records, entries: own }).map((what) => `${prompt.name}: ${what}`));
    }
    problems.push(...judgeOrder(prompts, desk), ...(await judgeTurns(prompts, desk)));
  }
  return [...problems, ...judgeThreads(ground)];
}

function judgeTurn(turn: Case): string[] {
  const { seen, records, entries, prompt } = turn;
  if (seen.end === null) return ["never ended"];
  const faults = seen.faultsAfter - seen.faultsBefore;
  const problems = [
    ...entries.filter(({ content }) => !content.includes(prompt.name)).map(({ content }) => `is told "${content}"`),
    ...(records.length > 1 + faults ? [`reached the agent ${records.length} times, with ${faults} faults`] : []),
    ...(records.some(({ threadId }) => threadId !== records[0]?.threadId) && faults === 0 ? ["in two threads"] : []),
    ...(records.length > 0 && countOf(entries, "user") !== 1 ? ["its prompt is not in the transcript once"] : []),
  ];
  return [...problems, ...(faults === 0 ? judgeUndisturbed(turn) : judgeDisturbed(turn))];
}

/** Nothing went wrong while it ran: it ends as its agent meant it to, and all that was said is there. */
function judgeUndisturbed({ prompt, seen, records, entries }: Case): string[] {
  const answer = answerOf(entries);
  const said = (records[0]?.said ?? []).filter((content) => content !== "");
  const problems: string[] = [];
  if (!seen.stopped) {
    if (seen.end !== endOf(prompt.behaviour)) problems.push(`is ${seen.end}, though it ${prompt.behaviour}`);
    if (records.length !== 1) problems.push(`reached the agent ${records.length} times`);
  } else if (seen.end?.startsWith("interrupted") !== true && seen.end !== endOf(prompt.behaviour)) {
    problems.push(`is ${seen.end}, though it ${prompt.behaviour} and was stopped`);
  }
  // Output that comes after the end may have been lost with a later connection.
  const lateIsLost =
    prompt.behaviour === "goesOnAfterItsEnd" && answer.every((content) => records[0]?.versions.has(content));
  if (JSON.stringify(answer) !== JSON.stringify(said) && !lateIsLost) {
    problems.push(`its transcript is ${JSON.stringify(answer)}, and it said ${JSON.stringify(said)}`);
  }
  return problems;
}

/** What was on the wire may be lost, and an attempt be repeated; but nothing is there that was not said. */
function judgeDisturbed({ prompt, seen, records, entries }: Case): string[] {
  const answer = answerOf(entries);
  const invented = answer.filter((content) => !records.some(({ versions }) => versions.has(content)));
  const problems = invented.map((content) => `nobody has said "${content}"`);
  if (seen.end === "completed" && answer.length === 0) problems.push("is completed without an answer");
  if (seen.end === "completed" && records.length === 0) problems.push("is completed and reached no agent");
  if (seen.end?.includes("TIMED_OUT") === true && !WAITED_FOR.has(prompt.behaviour))
    problems.push(`is ${seen.end}: nobody noticed for hours`);
  if (prompt.behaviour === "answers" && new Set(answer).size !== answer.length) problems.push("says something twice");
  return problems;
}

/** Prompts reach the agent in the order in which they were accepted; interrupts go before others, in their own order. */
function judgeOrder(prompts: readonly AcceptedPrompt[], { data }: Desk): string[] {
  return [true, false].flatMap((interrupt) => {
    const kind = prompts.filter((prompt) => prompt.interrupt === interrupt);
    const first = kind.map(({ turnId }) => data.records.findIndex(({ requestId }) => requestId === turnId));
    const reached = first.filter((place) => place !== -1);
    const inOrder = reached.toSorted((a, b) => a - b);
    return JSON.stringify(reached) === JSON.stringify(inOrder)
      ? []
      : [`out of order: ${kind.map(({ name }) => name).join()}`];
  });
}

async function judgeTurns(prompts: readonly AcceptedPrompt[], desk: Desk): Promise<string[]> {
  const turns = (await desk.turnRows()).map(({ id }) => id);
  const asked = prompts.map(({ turnId }) => turnId);
  return JSON.stringify(turns) === JSON.stringify(asked)
    ? []
    : [`turns are ${turns.join()}, asked for was ${asked.join()}`];
}

/** Each session has one thread; another is made only where the news of the first was lost. */
function judgeThreads({ desks, faults }: Playground): string[] {
  const count = desks[0]?.data.threads.size ?? 0;
  return count > desks.length + faults ? [`${count} threads for ${desks.length} sessions and ${faults} faults`] : [];
}

async function entriesOf({ app }: LinkStage, { session }: Desk): Promise<ThreadEntry[]> {
  const { mappingId } = session;
  return app.database.snapshot((em) =>
    em.find(ThreadEntry, { mappingId }, { orderBy: { turnNumber: "asc", position: "asc" } }),
  );
}

function answerOf(entries: readonly ThreadEntry[]): string[] {
  return entries.filter(({ role, content }) => role === "assistant" && content !== "").map(({ content }) => content);
}

function countOf(entries: readonly ThreadEntry[], role: ThreadEntry["role"]): number {
  return entries.filter((entry) => entry.role === role).length;
}
