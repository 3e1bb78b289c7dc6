import type { Conversation, ToolOffer, Turn } from "./conversation.ts";
import { isObject, listOf, objectOf, textOf, type JsonObject } from "./json.ts";
import type { MeteredReply, ReplyEvent, Usage } from "./reply.ts";
import { frame, nextId, textIn, type Frame, type WireFormat } from "./wire-format.ts";

/** OpenAI's chat completions: `POST /v1/chat/completions`. */
export const openaiChat: WireFormat = {
  read: (body) => ({
    wire: "openai-chat",
    model: textOf(body["model"]),
    streaming: body["stream"] === true,
    turns: listOf(body["messages"]).map((message) => readMessage(objectOf(message))),
    tools: listOf(body["tools"]).map((tool) => readTool(objectOf(tool))),
    schema: readSchema(objectOf(body["response_format"])),
  }),
  stream,
  whole: ({ events, usage }, conversation) => ({
    ...envelope("chat.completion", conversation, nextId("chatcmpl")),
    choices: [{ index: 0, message: messageOf(events), finish_reason: finishReason(events) }],
    usage: usageOf(usage),
  }),
  error: openaiError,
};

/** The error body of both OpenAI wires. */
export function openaiError(status: number, reason: string): JsonObject {
  const type = status < 500 ? "invalid_request_error" : "server_error";
  return { error: { message: reason, type, param: null, code: `demo_${status}` } };
}

async function* stream(reply: MeteredReply, conversation: Conversation): AsyncGenerator<Frame> {
  const base = envelope("chat.completion.chunk", conversation, nextId("chatcmpl"));
  const seen: ReplyEvent[] = [];
  for await (const event of reply) {
    const delta = event.type === "text" ? { content: event.text } : { tool_calls: [toolCall(event, callsIn(seen))] };
    yield frame({ ...base, choices: [{ index: 0, delta: { role: "assistant", ...delta }, finish_reason: null }] });
    seen.push(event);
  }
  yield frame({ ...base, choices: [{ index: 0, delta: {}, finish_reason: finishReason(seen) }] });
  yield frame({ ...base, choices: [], usage: usageOf(reply.usage()) });
  yield { data: "[DONE]" };
}

function envelope(object: string, conversation: Conversation, id: string): JsonObject {
  return { id, object, created: 0, model: conversation.model, system_fingerprint: "demo-model" };
}

function messageOf(events: readonly ReplyEvent[]): JsonObject {
  const calls = events.filter((event) => event.type === "tool-call").map((event, index) => toolCall(event, index));
  return { role: "assistant", content: textIn(events), ...(calls.length > 0 ? { tool_calls: calls } : {}) };
}

function toolCall(event: ReplyEvent & { readonly type: "tool-call" }, index: number): JsonObject {
  const { name } = event;
  return {
    index,
    id: nextId("call"),
    type: "function",
    function: { name, arguments: JSON.stringify(event.arguments) },
  };
}

function callsIn(events: readonly ReplyEvent[]): number {
  return events.filter((event) => event.type === "tool-call").length;
}

function finishReason(events: readonly ReplyEvent[]): string {
  return callsIn(events) > 0 ? "tool_calls" : "stop";
}

function usageOf({ inputTokens, outputTokens }: Usage): JsonObject {
  const [prompt_tokens, completion_tokens] = [inputTokens, outputTokens];
  return { prompt_tokens, completion_tokens, total_tokens: inputTokens + outputTokens };
}

const roles: Readonly<Record<string, Turn["role"]>> = {
  user: "user",
  assistant: "assistant",
  tool: "tool",
  function: "tool",
};

function readMessage(raw: JsonObject): Turn {
  const calls = listOf(raw["tool_calls"]).map((call) => textOf(objectOf(objectOf(call)["function"])["name"]));
  return { role: roles[textOf(raw["role"])] ?? "instructions", text: contentText(raw["content"]), calls };
}

/** The text of a content field, which is a string or a list of parts. */
export function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  return listOf(content)
    .map((part) => textOf(objectOf(part)["text"]))
    .join("\n");
}

function readTool(raw: JsonObject): ToolOffer {
  const declared = objectOf(raw["function"]);
  return { name: textOf(declared["name"]), parameters: objectOf(declared["parameters"]) };
}

function readSchema(format: JsonObject): JsonObject | undefined {
  if (format["type"] === "json_object") return {};
  const schema = objectOf(format["json_schema"])["schema"];
  return isObject(schema) ? schema : undefined;
}
