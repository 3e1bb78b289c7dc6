import { setTimeout as pause } from "node:timers/promises";
import { readDirectives, type Directives } from "./directives.ts";
import { callToWrite, type WantedFile } from "./file-tool.ts";
import { sampleOfSchema } from "./sample-of-schema.ts";
import { nextCall } from "./scripted-calls.ts";
import { ModelError, text, type Reply, type ReplyEvent, type Stage } from "./reply.ts";
import type { Conversation } from "./conversation.ts";

// What the demo model does when nobody tells it otherwise.
//
// To a prompt: one sentence, then a call of the agent's own tool that writes one
// small file named after the prompt, then, when the tool has answered, a closing
// sentence. Without a tool that can write a file: one sentence.
//
// A prompt may ask for calls of other tools instead, one after the other
// (scripted-calls.ts); the closing sentence then repeats the last answer.
//
// Agents also ask on their own account: a title, a summary, who speaks next.
// A question with a JSON schema (or with the single tool `respond_in_schema`)
// gets the smallest value that fits; a question for a title gets the subject; claude's
// question what the user might type next gets no file.

/** The script used when none is given. */
export function defaultScript(conversation: Conversation, stage: Stage): Reply {
  const onlyTool = conversation.tools.length === 1 ? conversation.tools[0] : undefined;
  if (onlyTool?.name === "respond_in_schema") {
    return [{ type: "tool-call", name: onlyTool.name, arguments: asArguments(sampleOfSchema(onlyTool.parameters)) }];
  }
  if (conversation.schema !== undefined) return [text(JSON.stringify(sampleOfSchema(conversation.schema)))];
  const directives = readDirectives(conversation.prompt);
  if (conversation.tools.length === 0 && /\btitle\b/i.test(conversation.instructions)) {
    return [text(subjectOf(directives.subject))];
  }
  if (conversation.prompt.startsWith("[SUGGESTION MODE")) return [text("thank you")];
  if (directives.calls.length > 0) return makeCalls(conversation, directives, stage);
  return conversation.toolResults.length === 0
    ? answerPrompt(conversation, directives, stage)
    : closeTurn(conversation, directives, stage);
}

async function* answerPrompt(
  conversation: Conversation,
  directives: Directives,
  stage: Stage,
): AsyncGenerator<ReplyEvent> {
  const { errorStatus, slow } = directives;
  if (errorStatus !== undefined) {
    throw new ModelError(errorStatus, `The demo model was asked to fail with status ${errorStatus}.`);
  }
  if (directives.hang) await stage.hold("[demo: hang]");
  const file = fileFor(directives);
  const call = directives.noTool ? undefined : callToWrite(file, conversation);
  yield text(call === undefined ? `The demo model read: ${directives.subject}` : `I will write ${file.name}.`);
  for (let chunk = 1; chunk <= (slow?.chunks ?? 0); chunk++) {
    await pause(slow?.pauseMs, undefined, { signal: stage.signal });
    yield text(` Part ${chunk}.`);
  }
  if (directives.hold !== undefined) await stage.hold(directives.hold);
  if (call !== undefined) yield call;
  else if (directives.hold !== undefined) yield text(" And it went on.");
}

async function* makeCalls(
  conversation: Conversation,
  directives: Directives,
  stage: Stage,
): AsyncGenerator<ReplyEvent> {
  if (conversation.toolResults.length === 0 && directives.hold !== undefined) {
    yield text("I will use a tool.");
    await stage.hold(directives.hold);
  }
  const next = nextCall(conversation, directives.calls);
  if (next !== undefined) {
    yield next;
    return;
  }
  if (directives.holdEnd !== undefined) {
    yield text("The tools have answered.");
    await stage.hold(directives.holdEnd);
    yield text(" ");
  }
  const last = conversation.toolResults.at(-1);
  yield text(`${last?.failed === true ? "The tool failed" : "The tool answered"}: ${last?.text.slice(0, 4_000) ?? ""}`);
}

async function* closeTurn(
  conversation: Conversation,
  directives: Directives,
  stage: Stage,
): AsyncGenerator<ReplyEvent> {
  const failure = conversation.toolResults.findLast((result) => result.failed);
  if (directives.holdEnd !== undefined) {
    yield text("The tool has answered.");
    await stage.hold(directives.holdEnd);
    yield text(" ");
  }
  yield text(
    failure === undefined
      ? `Done. ${fileFor(directives).name} was written by the demo model, which is not a language model.`
      : `The tool failed: ${failure.text.slice(0, 200)}`,
  );
}

/** The file that a prompt stands for: "Add user profile page" is `user-profile-page.md`. */
function fileFor(directives: Directives): WantedFile {
  const subject = subjectOf(directives.subject);
  const slug = subject
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, "-")
    .replaceAll(/^-|-$/g, "");
  const title = subject.charAt(0).toUpperCase() + subject.slice(1);
  return {
    name: directives.file ?? `${slug.slice(0, 60) || "demo"}.md`,
    escalate: directives.escalate,
    content: `# ${title || "Demo"}\n\nWritten by the demo model, which is not a language model, in answer to this prompt:\n\n> ${directives.subject}\n`,
  };
}

const filler = /^(please|add|create|implement|write|make|build|introduce|a|an|the|new|some)\s+/i;

/** What the first line of a prompt is about: its words without the leading verb and articles, at most eight. */
function subjectOf(prompt: string): string {
  let rest = (prompt.split(/[\n.:]/)[0] ?? "").trim();
  while (filler.test(rest)) rest = rest.replace(filler, "");
  return rest.split(/\s+/).slice(0, 8).join(" ");
}

function asArguments(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : { value };
}
