import type { Conversation, ToolOffer, Turn } from "./conversation.ts";
import { isObject, listOf, objectOf, textOf, type JsonObject } from "./json.ts";
import type { MeteredReply, ReplyEvent, Usage } from "./reply.ts";
import { frame, nextId, type Frame, type WireFormat } from "./wire-format.ts";

/** Gemini: `POST /v1beta/models/MODEL:generateContent` and `:streamGenerateContent`. */
export const gemini: WireFormat = {
  read: (body, path) => {
    const generation = objectOf(body["generationConfig"]);
    const schema = generation["responseJsonSchema"] ?? generation["responseSchema"];
    const json = generation["responseMimeType"] === "application/json";
    return {
      wire: "gemini",
      model: /models\/([^:/]+)/.exec(path)?.[1] ?? "",
      streaming: path.includes(":streamGenerateContent"),
      turns: [
        { role: "instructions", text: partsText(objectOf(body["systemInstruction"])) },
        ...listOf(body["contents"]).flatMap((content) => readContent(objectOf(content))),
      ],
      tools: listOf(body["tools"]).flatMap((tool) => readTools(objectOf(tool))),
      schema: isObject(schema) ? schema : json ? {} : undefined,
    };
  },
  stream,
  whole: ({ events, usage }, conversation) => ({
    ...envelope(conversation, usage),
    candidates: [{ ...candidate(events), finishReason: "STOP" }],
  }),
  error: (status, message) => ({ error: { code: status, message, status: statusName(status) } }),
};

async function* stream(reply: MeteredReply, conversation: Conversation): AsyncGenerator<Frame> {
  for await (const event of reply) {
    yield frame({ ...envelope(conversation, reply.usage()), candidates: [candidate([event])] });
  }
  const last = { ...candidate([]), finishReason: "STOP" };
  yield frame({ ...envelope(conversation, reply.usage()), candidates: [last] });
}

function envelope(conversation: Conversation, { inputTokens, outputTokens }: Usage): JsonObject {
  return {
    responseId: nextId("resp"),
    modelVersion: conversation.model,
    usageMetadata: {
      promptTokenCount: inputTokens,
      candidatesTokenCount: outputTokens,
      totalTokenCount: inputTokens + outputTokens,
    },
  };
}

function candidate(events: readonly ReplyEvent[]): JsonObject {
  return { index: 0, content: { role: "model", parts: events.length > 0 ? events.map(part) : [{ text: "" }] } };
}

function part(event: ReplyEvent): JsonObject {
  if (event.type === "text") return { text: event.text };
  return { functionCall: { id: nextId("call"), name: event.name, args: event.arguments } };
}

const statusNames: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  503: "UNAVAILABLE",
};

function statusName(status: number): string {
  return statusNames[status] ?? "INTERNAL";
}

/** A function's response stands inside a user turn here; it becomes a turn of its own. */
function readContent(content: JsonObject): Turn[] {
  const responses = listOf(content["parts"]).flatMap((raw) => {
    const response = objectOf(raw)["functionResponse"];
    return isObject(response) ? [objectOf(response["response"])] : [];
  });
  if (responses.length === 0) {
    const calls = listOf(content["parts"]).flatMap((raw) => {
      const call = objectOf(raw)["functionCall"];
      return isObject(call) ? [textOf(call["name"])] : [];
    });
    return [{ role: content["role"] === "model" ? "assistant" : "user", text: partsText(content), calls }];
  }
  return responses.map((response) => ({
    role: "tool",
    text: textOf(response["error"]) || textOf(response["output"]),
    failed: "error" in response,
  }));
}

function partsText(content: JsonObject): string {
  return listOf(content["parts"])
    .map((raw) => textOf(objectOf(raw)["text"]))
    .join("\n");
}

function readTools(tool: JsonObject): ToolOffer[] {
  return listOf(tool["functionDeclarations"]).map((raw) => {
    const declared = objectOf(raw);
    const parameters = declared["parametersJsonSchema"] ?? declared["parameters"];
    return { name: textOf(declared["name"]), parameters: objectOf(parameters) };
  });
}
