import type { Conversation, RawConversation } from "./conversation.ts";
import type { JsonObject } from "./json.ts";
import type { MeteredReply, ReplyEvent, Usage } from "./reply.ts";

/** One server-sent event; some providers name theirs, some do not. */
export interface Frame {
  readonly event?: string;
  readonly data: string;
}

export interface Answer {
  readonly events: readonly ReplyEvent[];
  readonly usage: Usage;
}

/** One provider's way of saying all this over HTTP. */
export interface WireFormat {
  /** Reads a request body; `path` is needed where the provider puts the model's name there. */
  read(body: JsonObject, path: string): RawConversation;
  /** The answer as a stream of events. */
  stream(reply: MeteredReply, conversation: Conversation): AsyncIterable<Frame>;
  /** The answer in one piece. */
  whole(answer: Answer, conversation: Conversation): JsonObject;
  /** A refusal. */
  error(status: number, message: string): JsonObject;
}

/** A frame whose data is JSON. */
export function frame(data: JsonObject, event?: string): Frame {
  return event === undefined ? { data: JSON.stringify(data) } : { event, data: JSON.stringify(data) };
}

/** A frame named after the `type` of its data, as Anthropic and OpenAI's responses do. */
export function typedFrame(data: JsonObject & { readonly type: string }): Frame {
  return frame(data, data.type);
}

/** All the text of an answer. */
export function textIn(events: readonly ReplyEvent[]): string {
  return events.map((event) => (event.type === "text" ? event.text : "")).join("");
}

let lastId = 0;

/** An id that no other answer of this process has. */
export function nextId(prefix: string): string {
  lastId += 1;
  return `${prefix}_demo${lastId}`;
}
