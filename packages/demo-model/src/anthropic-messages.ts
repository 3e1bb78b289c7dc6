import type { Conversation, Turn } from "./conversation.ts";
import { isObject, listOf, objectOf, textOf, type JsonObject } from "./json.ts";
import { contentText } from "./openai-chat.ts";
import type { MeteredReply, ReplyEvent } from "./reply.ts";
import { nextId, typedFrame, type Frame, type WireFormat } from "./wire-format.ts";

/** Anthropic's messages: `POST /v1/messages`. */
export const anthropicMessages: WireFormat = {
  read: (body) => ({
    wire: "anthropic-messages",
    model: textOf(body["model"]),
    streaming: body["stream"] === true,
    turns: [
      { role: "instructions", text: contentText(body["system"]) },
      ...listOf(body["messages"]).flatMap((message) => readMessage(objectOf(message))),
    ],
    tools: listOf(body["tools"]).map((tool) => ({
      name: textOf(objectOf(tool)["name"]),
      parameters: objectOf(objectOf(tool)["input_schema"]),
    })),
    schema: readSchema(body),
  }),
  stream,
  whole: ({ events, usage }, conversation) => ({
    ...envelope(conversation),
    content: events.map(block),
    stop_reason: stopReason(events),
    usage: { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens },
  }),
  error: (status, message) => ({ type: "error", error: { type: errorType(status), message } }),
};

async function* stream(reply: MeteredReply, conversation: Conversation): AsyncGenerator<Frame> {
  const usage = { input_tokens: conversation.inputTokens, output_tokens: 1 };
  yield typedFrame({ type: "message_start", message: { ...envelope(conversation), content: [], usage } });
  const seen: ReplyEvent[] = [];
  let index = -1;
  let textIsOpen = false;
  for await (const event of reply) {
    if (event.type === "text" && textIsOpen) {
      yield textDelta(index, event.text);
      continue;
    }
    if (index >= 0) yield typedFrame({ type: "content_block_stop", index });
    index += 1;
    yield* openBlock(event, index);
    textIsOpen = event.type === "text";
    seen.push(event);
  }
  if (index >= 0) yield typedFrame({ type: "content_block_stop", index });
  const delta = { stop_reason: stopReason(seen), stop_sequence: null };
  yield typedFrame({ type: "message_delta", delta, usage: { output_tokens: reply.usage().outputTokens } });
  yield typedFrame({ type: "message_stop" });
}

function* openBlock(event: ReplyEvent, index: number): Generator<Frame> {
  const empty = event.type === "text" ? { type: "text", text: "" } : { ...block(event), input: {} };
  yield typedFrame({ type: "content_block_start", index, content_block: empty });
  if (event.type === "text") yield textDelta(index, event.text);
  else {
    const delta = { type: "input_json_delta", partial_json: JSON.stringify(event.arguments) };
    yield typedFrame({ type: "content_block_delta", index, delta });
  }
}

function textDelta(index: number, text: string): Frame {
  return typedFrame({ type: "content_block_delta", index, delta: { type: "text_delta", text } });
}

function envelope({ model }: Conversation): JsonObject {
  const end = { stop_reason: null, stop_sequence: null };
  return { id: nextId("msg"), type: "message", role: "assistant", model, ...end };
}

function block(event: ReplyEvent): JsonObject {
  if (event.type === "text") return { type: "text", text: event.text };
  return { type: "tool_use", id: nextId("toolu"), name: event.name, input: event.arguments };
}

function stopReason(events: readonly ReplyEvent[]): string {
  return events.some((event) => event.type === "tool-call") ? "tool_use" : "end_turn";
}

const errorTypes: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
  529: "overloaded_error",
};

function errorType(status: number): string {
  return errorTypes[status] ?? "api_error";
}

/** Agents also put instructions between the messages, with the role `system`. */
const roles: Readonly<Record<string, Turn["role"]>> = { user: "user", assistant: "assistant" };

/**
 * A tool's result stands inside a user message here; it becomes a turn of its own. So does every piece of text, because
 * claude puts a prompt that got no answer and the next one into one message.
 */
function readMessage(raw: JsonObject): Turn[] {
  const role = roles[textOf(raw["role"])] ?? "instructions";
  const blocks = listOf(raw["content"]).map(objectOf);
  const results = blocks.filter((part) => part["type"] === "tool_result");
  if (results.length === 0)
    return texts(raw["content"]).map((text, at) => ({ role, text, calls: callsAt(blocks, at) }));
  return results.map((part) => ({
    role: "tool",
    text: contentText(part["content"]),
    failed: part["is_error"] === true,
  }));
}

function callsAt(blocks: readonly JsonObject[], at: number): string[] {
  return blocks[at]?.["type"] === "tool_use" ? [textOf(blocks[at]["name"])] : [];
}

function texts(content: unknown): string[] {
  if (typeof content === "string") return [content];
  return listOf(content).map((part) => textOf(objectOf(part)["text"]));
}

function readSchema(body: JsonObject): JsonObject | undefined {
  const format = objectOf(objectOf(body["output_config"])["format"] ?? body["output_format"]);
  return isObject(format["schema"]) ? format["schema"] : undefined;
}
