// Events by their former names
//
// Older editors have other names for some events, say `context_id` where it is `acp_thread_id` today, and answer a message
// as a whole or in pieces instead of in entries. What they say is put into today's words here, so that nobody behind the
// parser knows of it:
//
//   context_created, message_updated, context_title_changed   the same events under other names
//   chat_response {request_id, content}                       one entry, and the end of the turn
//   chat_response_chunk {request_id, chunk}                   an entry that grows: it is whole each time, as today's are
//   chat_response_done {request_id}                           the end of the turn
//
// An answer of the second kind names no thread and no entry. Its thread is that of the request (`""` here), its entry gets
// a number that no thread's own entries reach. Where the same answer has come in entries already, it is not said twice.
import { z } from "zod";
import { eventSchemas, type SyncEvent, type SyncEventType } from "./event.ts";
import { contentLengthMax } from "./limits.ts";
import { content, id, idOrEmpty } from "./wire-text.ts";

const renamed: Readonly<Record<string, SyncEventType>> = {
  context_created: "thread_created",
  message_updated: "message_added",
  context_title_changed: "thread_title_changed",
};

const anywhere = { request_id: id, acp_thread_id: idOrEmpty };
const answers = {
  chat_response: z.object({ ...anywhere, content }),
  chat_response_chunk: z.object({ ...anywhere, chunk: content }),
  chat_response_done: z.object(anywhere),
} as const;

/** What becomes of an event by a former name; `null` if the name is none. */
export type Translated = { readonly events: readonly SyncEvent[] } | { readonly error: z.ZodError } | null;

interface Answer {
  readonly messageId: string;
  text: string;
  /** It has come in entries, or has ended. */
  settled: boolean;
}

/** How many answers are remembered at once; those of older requests are forgotten first. */
const ANSWERS_MAX = 256;
/** The first number of an entry that is made here. */
const FIRST_NUMBER = 100_000_000;

/** Puts what one editor says by former names into today's words. */
export class LegacyEvents {
  readonly #answers = new Map<string, Answer>();
  #count = 0;

  /** Notes an event by today's name: an answer that comes in entries is not to come again in one piece. */
  note(event: SyncEvent): void {
    if (event.event_type !== "message_added" && event.event_type !== "message_completed") return;
    const answer = this.#answers.get(event.data.request_id);
    if (answer !== undefined) answer.settled = true;
    else if (event.event_type === "message_added" && event.data.request_id !== "") {
      this.#remember(event.data.request_id).settled = true;
    }
  }

  translate(name: string, data: Readonly<Record<string, unknown>>): Translated {
    const withThread = { ...data, acp_thread_id: data["acp_thread_id"] ?? data["context_id"] };
    const today = Object.hasOwn(renamed, name) ? renamed[name] : undefined;
    if (today !== undefined) return renamedEvent(today, withThread);
    if (!isAnswer(name)) return null;
    const parsed = answers[name].safeParse(withThread);
    if (!parsed.success) return { error: parsed.error };
    return { events: this.#answer(parsed.data, name !== "chat_response_chunk") };
  }

  #answer({ request_id, acp_thread_id, content: whole, chunk }: AnswerPart, isEnd: boolean): SyncEvent[] {
    const where = { request_id, acp_thread_id };
    const answer = this.#answers.get(request_id) ?? this.#remember(request_id);
    const text = whole ?? (chunk === undefined ? undefined : `${answer.text}${chunk}`.slice(0, contentLengthMax));
    const events: SyncEvent[] = [];
    if (!answer.settled && text !== undefined) {
      answer.text = text;
      events.push(entryEvent(where, answer));
    }
    if (isEnd) events.push(endEvent(where));
    answer.settled ||= isEnd;
    return events;
  }

  #remember(requestId: string): Answer {
    const answer: Answer = { messageId: String(FIRST_NUMBER + this.#count++), text: "", settled: false };
    this.#answers.set(requestId, answer);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > ANSWERS_MAX && oldest !== undefined) this.#answers.delete(oldest);
    return answer;
  }
}

interface Place {
  readonly request_id: string;
  readonly acp_thread_id: string;
}

interface AnswerPart extends Place {
  readonly content?: string;
  readonly chunk?: string;
}

function isAnswer(name: string): name is keyof typeof answers {
  return Object.hasOwn(answers, name);
}

function renamedEvent(name: SyncEventType, data: Readonly<Record<string, unknown>>): Translated {
  const parsed = eventSchemas[name].safeParse({ event_type: name, data });
  return parsed.success ? { events: [parsed.data] } : { error: parsed.error };
}

function entryEvent(where: Place, { messageId, text }: Answer): SyncEvent {
  const data = {
    ...where,
    message_id: messageId,
    role: "assistant",
    content: text.toWellFormed(),
    entry_type: "text",
    tool_name: "",
    tool_status: "",
    timestamp: 0,
  } as const;
  return { event_type: "message_added", data };
}

function endEvent(where: Place): SyncEvent {
  return { event_type: "message_completed", data: { ...where, message_id: "0", agent_name: "", usage: null } };
}
