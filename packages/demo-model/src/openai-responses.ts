import type { Conversation, ToolOffer, Turn } from "./conversation.ts";
import { isObject, listOf, objectOf, textOf, type JsonObject } from "./json.ts";
import { contentText, openaiError } from "./openai-chat.ts";
import type { MeteredReply, ReplyEvent, Usage } from "./reply.ts";
import { nextId, typedFrame, type Frame, type WireFormat } from "./wire-format.ts";

/** OpenAI's responses: `POST /v1/responses`. */
export const openaiResponses: WireFormat = {
  read: (body) => ({
    wire: "openai-responses",
    model: textOf(body["model"]),
    streaming: body["stream"] === true,
    turns: [{ role: "instructions", text: textOf(body["instructions"]) }, ...readInput(body["input"])],
    tools: listOf(body["tools"]).flatMap((tool) => readTool(objectOf(tool))),
    schema: readSchema(objectOf(objectOf(body["text"])["format"])),
  }),
  stream,
  whole: ({ events, usage }, conversation) =>
    responseObject(nextId("resp"), conversation, gatherItems(events), { status: "completed", usage: usageOf(usage) }),
  error: openaiError,
};

async function* stream(reply: MeteredReply, conversation: Conversation): AsyncGenerator<Frame> {
  const id = nextId("resp");
  const open = responseObject(id, conversation, [], { status: "in_progress", usage: null });
  const done: JsonObject[] = [];
  let message: { readonly id: string; text: string } | undefined;
  yield typedFrame({ type: "response.created", response: open });
  for await (const event of reply) {
    if (event.type === "text") {
      if (message === undefined) {
        message = { id: nextId("msg"), text: "" };
        yield* openMessage(message.id, done.length);
      }
      message.text += event.text;
      yield typedFrame({ type: "response.output_text.delta", ...place(message.id, done.length), delta: event.text });
      continue;
    }
    if (message !== undefined) yield* closeMessage(message, done);
    message = undefined;
    yield* callItem(event, done);
  }
  if (message !== undefined) yield* closeMessage(message, done);
  const usage = usageOf(reply.usage());
  const response = responseObject(id, conversation, done, { status: "completed", usage });
  yield typedFrame({ type: "response.completed", response });
}

function* openMessage(id: string, index: number): Generator<Frame> {
  const item = { ...messageItem(id, ""), status: "in_progress", content: [] };
  yield typedFrame({ type: "response.output_item.added", output_index: index, item });
  yield typedFrame({ type: "response.content_part.added", ...place(id, index), part: textPart("") });
}

function* closeMessage(message: { readonly id: string; readonly text: string }, done: JsonObject[]): Generator<Frame> {
  const [at, item] = [place(message.id, done.length), messageItem(message.id, message.text)];
  yield typedFrame({ type: "response.output_text.done", ...at, text: message.text });
  yield typedFrame({ type: "response.content_part.done", ...at, part: textPart(message.text) });
  yield typedFrame({ type: "response.output_item.done", output_index: done.length, item });
  done.push(item);
}

function* callItem(event: ReplyEvent & { readonly type: "tool-call" }, done: JsonObject[]): Generator<Frame> {
  const item = functionItem(event);
  const [output_index, item_id] = [done.length, item["id"]];
  const unfinished = { ...item, arguments: "", status: "in_progress" };
  yield typedFrame({ type: "response.output_item.added", output_index, item: unfinished });
  yield typedFrame({ type: "response.function_call_arguments.delta", output_index, item_id, delta: item["arguments"] });
  yield typedFrame({
    type: "response.function_call_arguments.done",
    output_index,
    item_id,
    arguments: item["arguments"],
  });
  yield typedFrame({ type: "response.output_item.done", output_index, item });
  done.push(item);
}

function gatherItems(events: readonly ReplyEvent[]): JsonObject[] {
  return events.map((event) => (event.type === "text" ? messageItem(nextId("msg"), event.text) : functionItem(event)));
}

function responseObject(
  id: string,
  conversation: Conversation,
  output: readonly JsonObject[],
  end: { readonly status: string; readonly usage: JsonObject | null },
): JsonObject {
  return { id, object: "response", created_at: 0, model: conversation.model, error: null, output, ...end };
}

function place(itemId: string, index: number): JsonObject {
  return { item_id: itemId, output_index: index, content_index: 0 };
}

function textPart(content: string): JsonObject {
  return { type: "output_text", text: content, annotations: [] };
}

function messageItem(id: string, content: string): JsonObject {
  return { id, type: "message", role: "assistant", status: "completed", content: [textPart(content)] };
}

function functionItem(event: ReplyEvent & { readonly type: "tool-call" }): JsonObject {
  const named = event.namespace === undefined ? {} : { namespace: event.namespace };
  const call = { call_id: nextId("call"), name: event.name, ...named, arguments: JSON.stringify(event.arguments) };
  return { id: nextId("fc"), type: "function_call", status: "completed", ...call };
}

function usageOf({ inputTokens, outputTokens }: Usage): JsonObject {
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: inputTokens + outputTokens,
  };
}

function readInput(input: unknown): Turn[] {
  if (typeof input === "string") return [{ role: "user", text: input }];
  return listOf(input).map((item) => readItem(objectOf(item)));
}

function readItem(item: JsonObject): Turn {
  const type = textOf(item["type"]);
  if (type.endsWith("_call_output")) return { role: "tool", text: outputText(item["output"]) };
  if (type === "function_call") return { role: "assistant", text: "", calls: [textOf(item["name"])] };
  if (type !== "message" && type !== "") return { role: "assistant", text: "" };
  const role = textOf(item["role"]);
  const known = role === "user" || role === "assistant" ? role : "instructions";
  return { role: known, text: contentText(item["content"]) };
}

function outputText(output: unknown): string {
  return typeof output === "string" ? output : contentText(output);
}

/** Only functions; a `custom` tool such as apply_patch wants a grammar that this model does not speak. */
function readTool(raw: JsonObject): ToolOffer[] {
  if (raw["type"] === "namespace") {
    const inside = listOf(raw["tools"]).flatMap((tool) => readTool(objectOf(tool)));
    return inside.map((tool) => ({ ...tool, namespace: textOf(raw["name"]) }));
  }
  if (raw["type"] !== "function") return [];
  return [{ name: textOf(raw["name"]), parameters: objectOf(raw["parameters"]) }];
}

function readSchema(format: JsonObject): JsonObject | undefined {
  if (format["type"] === "json_object") return {};
  return isObject(format["schema"]) ? format["schema"] : undefined;
}
