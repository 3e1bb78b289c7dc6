import type { Conversation, ToolOffer } from "./conversation.ts";
import { isObject, type JsonObject } from "./json.ts";
import type { ReplyEvent } from "./reply.ts";

// Calls of tools that a prompt asks for, one after the other.
//
//   [demo: call spawn_work_session {"name": "Tests", "instructions": "Write them [demo: no-tool]"}]
//
// What stands in the braces is JSON, and may contain directives for whoever is given it. `$session` in it stands for the
// last id of a work session that a tool has answered with. A tool goes by its own name, whatever the agent puts before it
// (`mcp__helix__`). Some agents keep the tools of others behind a tool of their own that finds them: it is called first.

/** A call of a tool, as a prompt asks for it. */
export interface ScriptedCall {
  readonly tool: string;
  readonly arguments: JsonObject;
}

const beginning = /\[demo:\s*call\s+([\w-]+)\s*(?=\{)/g;

/** Takes the calls out of a prompt. What is not whole stays in it. */
export function takeCalls(prompt: string): { readonly calls: readonly ScriptedCall[]; readonly rest: string } {
  const calls: ScriptedCall[] = [];
  let rest = "";
  let from = 0;
  for (const match of prompt.matchAll(beginning)) {
    if (match.index < from) continue;
    const start = match.index + match[0].length;
    const end = endOfObject(prompt, start);
    const value = parse(prompt.slice(start, end));
    const closing = /^\s*\]/.exec(prompt.slice(end))?.[0];
    if (value === undefined || closing === undefined) continue;
    calls.push({ tool: match[1] ?? "", arguments: value });
    rest += prompt.slice(from, match.index);
    from = end + closing.length;
  }
  return { calls, rest: rest + prompt.slice(from) };
}

/** The call that comes next; text if its tool is not there; nothing if all were made. */
export function nextCall(conversation: Conversation, calls: readonly ScriptedCall[]): ReplyEvent | undefined {
  const made = conversation.calls.filter((name) => !isSearch(name)).length;
  const wanted = calls[made];
  if (wanted === undefined) return undefined;
  const offered = conversation.tools.find(({ name }) => isNamed(name, wanted.tool));
  if (offered !== undefined) {
    const { name, namespace } = offered;
    const named = namespace === undefined ? { name } : { name, namespace };
    return { type: "tool-call", ...named, arguments: filledIn(wanted.arguments, conversation) };
  }
  const search = conversation.tools.find(({ name }) => isSearch(name));
  const searched = isSearch(conversation.calls.at(-1) ?? "");
  if (search === undefined || searched) return { type: "text", text: `There is no tool ${wanted.tool}.` };
  return callToFind(search, wanted.tool, conversation);
}

function callToFind({ name }: ToolOffer, tool: string, { instructions }: Conversation): ReplyEvent {
  const whole = new RegExp(`\\b\\w*${tool}\\b`).exec(instructions)?.[0];
  return { type: "tool-call", name, arguments: { query: whole === undefined ? tool : `select:${whole}` } };
}

function isNamed(name: string, tool: string): boolean {
  return name === tool || name.endsWith(`_${tool}`);
}

function isSearch(name: string): boolean {
  return name === "tool_search" || name === "ToolSearch";
}

const sessionId = /\bws_[0-9a-f]{32}\b/g;

function filledIn(values: JsonObject, { toolResults }: Conversation): JsonObject {
  const id = toolResults.flatMap(({ text }) => text.match(sessionId) ?? []).at(-1);
  if (id === undefined) return values;
  return parse(JSON.stringify(values).replaceAll("$session", id)) ?? values;
}

/** The index after the object that begins at `start`: braces within strings do not count. */
function endOfObject(text: string, start: number): number {
  let depth = 0;
  let inString = false;
  for (let index = start; index < text.length; index++) {
    const character = text[index];
    if (inString && character === "\\") index++;
    else if (character === '"') inString = !inString;
    else if (!inString && character === "{") depth++;
    else if (!inString && character === "}" && --depth === 0) return index + 1;
  }
  return text.length;
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
