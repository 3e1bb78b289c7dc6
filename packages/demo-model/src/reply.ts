import { countTokens, type Conversation } from "./conversation.ts";

/** A piece of the model's answer. */
export type ReplyEvent =
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "tool-call";
      readonly name: string;
      /** As the offer has it. */
      readonly namespace?: string;
      readonly arguments: Readonly<Record<string, unknown>>;
    };

export type Reply = Iterable<ReplyEvent> | AsyncIterable<ReplyEvent>;

/** What a script may use besides the conversation. */
export interface Stage {
  /** Aborted when the agent hangs up. */
  readonly signal: AbortSignal;
  /** Waits until a test, or a request to `/demo/holds/NAME/release`, lets this name go on. */
  hold(name: string): Promise<void>;
}

/** Decides what the model answers. Throw a `ModelError` to refuse. */
export type Script = (conversation: Conversation, stage: Stage) => Reply;

/** Refuses a request with an HTTP status, in the error format of the wire it came on. */
export class ModelError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "ModelError";
    this.status = status;
  }
}

export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** A reply on its way out, which counts its tokens as they pass. */
export interface MeteredReply extends AsyncIterable<ReplyEvent> {
  usage(): Usage;
}

/** Counts the tokens of a reply while it streams. */
export function meter(reply: AsyncIterable<ReplyEvent>, inputTokens: number): MeteredReply {
  let outputTokens = 0;
  return {
    usage: () => ({ inputTokens, outputTokens }),
    async *[Symbol.asyncIterator]() {
      for await (const event of reply) {
        outputTokens += countTokens(event.type === "text" ? event.text : event.name + JSON.stringify(event.arguments));
        yield event;
      }
    },
  };
}

export function text(content: string): ReplyEvent {
  return { type: "text", text: content };
}
