import type { ToolCall, ToolContent } from "./tool-call.ts";

/** A tool call as Zed writes it: a bold label, the status, then the content. */
export function renderToolCall(call: ToolCall): string {
  const heading = `**Tool Call: ${toolLabel(call)}**\nStatus: ${call.status}\n\n`;
  return (
    heading +
    contentOf(call)
      .map((content) => `${renderContent(content, call)}\n\n`)
      .join("")
  );
}

/** The `tool_name` of the wire: commands as they are, titles of edits with their markdown escaped, of others the first line. */
export function toolLabel({ title, kind }: ToolCall): string {
  if (kind === "execute") return title;
  if (kind === "edit") return escapeMarkdown(title);
  const [firstLine = "", ...more] = title.split("\n");
  return more.length > 0 ? `${firstLine}…` : firstLine;
}

/** Raw output stands in only where the agent sends no content. */
function contentOf(call: ToolCall): readonly ToolContent[] {
  if (call.content.length > 0) return call.content;
  if (call.terminals.size > 0)
    return [...call.terminals.keys()].map((terminalId) => ({ type: "terminal", terminalId }));
  return call.rawOutput === undefined || call.rawOutput === null ? [] : [{ type: "text", text: raw(call.rawOutput) }];
}

function raw(output: unknown): string {
  return typeof output === "string" ? output : `\`\`\`json\n${JSON.stringify(output, null, 2)}\n\`\`\``;
}

function renderContent(content: ToolContent, call: ToolCall): string {
  switch (content.type) {
    case "text":
      return content.text;
    case "diff":
      return `Diff: ${content.path}\n\`\`\`\n${content.newText}\n\`\`\`\n`;
    case "terminal":
      return `Terminal:\n\`\`\`\n${call.terminals.get(content.terminalId) ?? ""}\n\`\`\`\n`;
    default:
      return content satisfies never;
  }
}

function escapeMarkdown(text: string): string {
  return text
    .replaceAll(/[\\`*_[^$~&#+=-]/g, "\\$&")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
