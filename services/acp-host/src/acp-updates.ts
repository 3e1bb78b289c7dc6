import { z } from "zod";
import type { Change, Thread } from "./thread.ts";
import type { TokenUsage, ToolStatus } from "@helix-zed/sync-protocol";
import type { ToolCallPatch, ToolContent } from "./tool-call.ts";
import { usageOfChunk } from "./usage.ts";

// From ACP's `session/update` to entries of a thread.
//
// Only what the sync protocol can show is read; every other kind of update (plans,
// modes, commands, titles, kinds that do not exist yet) is passed over. Fields are
// parsed leniently: an agent that sends something odd loses that field, not its turn.

const text = z.object({ type: z.literal("text"), text: z.string() });
const contentBlock = z.union([
  text,
  z.object({ type: z.literal("resource_link"), uri: z.string() }),
  z.object({ type: z.literal("resource"), resource: z.object({ text: z.string() }) }),
  z.object({ type: z.string() }),
]);

const statuses = { pending: "Pending", in_progress: "In Progress", completed: "Completed", failed: "Failed" } as const;

const toolContent = z.union([
  z.object({ type: z.literal("content"), content: contentBlock }),
  z.object({ type: z.literal("diff"), path: z.string(), newText: z.string() }),
  z.object({ type: z.literal("terminal"), terminalId: z.string() }),
]);

// claude and codex run their commands in terminals of their own and tell the output here.
const terminalMeta = z.object({ terminal_output: z.object({ terminal_id: z.string(), data: z.string() }) });

const toolFields = z.object({
  toolCallId: z.string(),
  title: z.string().nullish().catch(undefined),
  kind: z.string().nullish().catch(undefined),
  status: z.enum(["pending", "in_progress", "completed", "failed"]).nullish().catch(undefined),
  content: z
    .array(toolContent.or(z.unknown().transform(() => undefined)))
    .nullish()
    .catch(undefined),
  rawOutput: z.unknown().optional(),
  _meta: z.unknown().optional(),
});

const chunk = z.object({ content: contentBlock, _meta: z.unknown().optional() });

const update = z.union([
  chunk.extend({ sessionUpdate: z.enum(["user_message_chunk", "agent_message_chunk", "agent_thought_chunk"]) }),
  toolFields.extend({ sessionUpdate: z.enum(["tool_call", "tool_call_update"]) }),
]);

export interface Applied {
  readonly change?: Change | undefined;
  readonly usage?: TokenUsage | undefined;
}

/** Applies one update to the thread. During a replay, the agent repeats the user's words too. */
export function applyUpdate(thread: Thread, raw: unknown, mode: "live" | "replay"): Applied {
  const parsed = update.safeParse(raw);
  if (!parsed.success) return {};
  const { data } = parsed;
  const { _meta: meta } = data;
  switch (data.sessionUpdate) {
    case "user_message_chunk":
      // In a live turn the user's words are in the thread already.
      return mode === "live" ? {} : { change: thread.replayUserChunk(blockText(data.content)) };
    case "agent_message_chunk":
      return { change: thread.appendChunk("message", blockText(data.content)), usage: usageOfChunk(meta) };
    case "agent_thought_chunk":
      return { change: thread.appendChunk("thought", blockText(data.content)) };
    case "tool_call":
      return { change: thread.upsertToolCall(patchOf(data)) };
    case "tool_call_update":
      return { change: thread.updateToolCall(patchOf(data)) };
    default:
      return data satisfies never;
  }
}

/**
 * Shows that a tool call waits for permission. qwen and gemini name a tool call here
 * for the first time, so this adds it if it is not known.
 */
export function applyPermissionRequest(thread: Thread, toolCall: unknown): Change | undefined {
  const parsed = toolFields.safeParse(toolCall);
  if (!parsed.success) return undefined;
  return thread.upsertToolCall({ ...patchOf(parsed.data), status: "Waiting for confirmation" });
}

function patchOf(fields: z.infer<typeof toolFields>): ToolCallPatch {
  const status: ToolStatus | undefined = fields.status ? statuses[fields.status] : undefined;
  const { _meta: meta } = fields;
  const terminal = terminalMeta.safeParse(meta).data?.terminal_output;
  return {
    id: fields.toolCallId,
    ...(typeof fields.title === "string" && { title: fields.title }),
    ...(typeof fields.kind === "string" && { kind: fields.kind }),
    ...(status !== undefined && { status }),
    ...(fields.content && { content: fields.content.flatMap(contentOf) }),
    ...(fields.rawOutput !== undefined && { rawOutput: fields.rawOutput }),
    ...(terminal && { terminalOutput: { terminalId: terminal.terminal_id, data: terminal.data } }),
  };
}

function contentOf(content: z.infer<typeof toolContent> | undefined): ToolContent[] {
  if (content === undefined) return [];
  return content.type === "content" ? [{ type: "text", text: blockText(content.content) }] : [content];
}

/** What a content block is in markdown; pictures and sound have no form on this wire. */
function blockText(block: z.infer<typeof contentBlock>): string {
  if ("text" in block) return block.text;
  if ("uri" in block) return block.uri;
  return "resource" in block ? block.resource.text : "";
}
