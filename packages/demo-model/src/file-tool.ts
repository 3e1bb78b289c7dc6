import { join } from "node:path";
import type { Conversation, ToolOffer } from "./conversation.ts";
import { isObject, objectOf } from "./json.ts";
import type { ReplyEvent } from "./reply.ts";

/** A file that the demo model wants to exist. */
export interface WantedFile {
  readonly name: string;
  readonly content: string;
  /** Whether to ask for more than the agent's sandbox allows, where a tool of the agent can say so. */
  readonly escalate?: boolean;
}

const writers = ["write_file", "write", "create_file", "str_replace_based_edit_tool"];
const shells = ["exec_command", "shell", "shell_command", "run_shell_command", "bash"];
const pathNames = ["file_path", "filePath", "absolute_path", "path"];
const contentNames = ["content", "contents", "file_text", "text"];

/** The call that writes the file with a tool of this agent, or nothing if it offers none. */
export function callToWrite(file: WantedFile, conversation: Conversation): ReplyEvent | undefined {
  const writer = findTool(conversation.tools, writers);
  if (writer !== undefined) return callWriter(writer, file, conversation.workingDirectory);
  const shell = findTool(conversation.tools, shells);
  return shell === undefined ? undefined : callShell(shell, file);
}

function findTool(tools: readonly ToolOffer[], names: readonly string[]): ToolOffer | undefined {
  return names.map((name) => tools.find((tool) => tool.name.toLowerCase() === name)).find((tool) => tool !== undefined);
}

function callWriter(tool: ToolOffer, file: WantedFile, folder: string | undefined): ReplyEvent {
  const path = folder === undefined ? file.name : join(folder, file.name);
  const values = { [pick(tool, pathNames)]: path, [pick(tool, contentNames)]: file.content };
  const command = tool.name === "str_replace_based_edit_tool" ? { command: "create" } : {};
  return { type: "tool-call", name: tool.name, arguments: { ...command, ...values } };
}

function callShell(tool: ToolOffer, file: WantedFile): ReplyEvent {
  const line = `printf '%s' ${quote(file.content)} > ${quote(file.name)}`;
  const field = pick(tool, ["command", "cmd"]);
  const wantsList = objectOf(properties(tool)[field])["type"] === "array";
  const description = "description" in properties(tool) ? { description: `Write ${file.name}` } : {};
  const escalated = { sandbox_permissions: "require_escalated", justification: `Write ${file.name}` };
  const escalation = file.escalate === true && "sandbox_permissions" in properties(tool) ? escalated : {};
  return {
    type: "tool-call",
    name: tool.name,
    arguments: { [field]: wantsList ? ["bash", "-lc", line] : line, ...description, ...escalation },
  };
}

function properties(tool: ToolOffer): Readonly<Record<string, unknown>> {
  const declared = tool.parameters["properties"];
  return isObject(declared) ? declared : {};
}

/** The name that this tool gives to a parameter; the first known one if it declares none. */
function pick(tool: ToolOffer, names: readonly string[]): string {
  return names.find((name) => name in properties(tool)) ?? names[0] ?? "";
}

function quote(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}
