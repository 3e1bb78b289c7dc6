import { z } from "zod";
import { commandSchemas, type SyncCommand, type SyncCommandType } from "./command.ts";
import { eventSchemas, type SyncEvent, type SyncEventType } from "./event.ts";
import { LegacyEvents } from "./legacy-events.ts";

/** A frame that is no frame of the protocol. Says what is wrong with it, never what was in it. */
export interface MalformedFrame {
  readonly kind: "malformed";
  readonly problem: string;
}

/** A well-formed frame of a name that is not known here: of a newer or a much older editor. */
export interface UnknownFrame {
  readonly kind: "unknown";
  readonly name: string;
}

/** What an editor sent. */
export type ParsedEvent = { readonly kind: "event"; readonly event: SyncEvent } | UnknownFrame | MalformedFrame;

/** What a server sent. `echo` is a chat message with the role of a user: an editor drops it. */
export type ParsedCommand =
  | { readonly kind: "command"; readonly command: SyncCommand }
  | { readonly kind: "echo" }
  | UnknownFrame
  | MalformedFrame;

/** Reads a text frame of an editor. Never throws. */
export function parseEvent(frame: string): ParsedEvent {
  const envelope = openEnvelope(frame, "event_type");
  if (envelope.kind !== "envelope") return envelope;
  if (!isEventType(envelope.name)) return { kind: "unknown", name: envelope.name.slice(0, 64) };
  const parsed = eventSchemas[envelope.name].safeParse({ event_type: envelope.name, data: envelope.data });
  return parsed.success
    ? { kind: "event", event: parsed.data }
    : { kind: "malformed", problem: `${envelope.name}: ${describe(parsed.error)}` };
}

/** What an editor sent in one frame, in today's words: usually one event. */
export type ReadEvents =
  | { readonly kind: "events"; readonly events: readonly SyncEvent[] }
  | UnknownFrame
  | MalformedFrame;

/** Reads the text frames of one editor, whatever names it has for its events. */
export class EventReader {
  readonly #legacy = new LegacyEvents();

  /** Reads the next frame. Never throws. */
  read(frame: string): ReadEvents {
    const parsed = parseEvent(frame);
    if (parsed.kind === "unknown") return this.#readLegacy(frame, parsed);
    if (parsed.kind === "malformed") return parsed;
    this.#legacy.note(parsed.event);
    return { kind: "events", events: [parsed.event] };
  }

  #readLegacy(frame: string, unknown: UnknownFrame): ReadEvents {
    const envelope = openEnvelope(frame, "event_type");
    if (envelope.kind !== "envelope") return envelope;
    const translated = this.#legacy.translate(envelope.name, envelope.data);
    if (translated === null) return unknown;
    return "events" in translated
      ? { kind: "events", events: translated.events }
      : { kind: "malformed", problem: `${unknown.name}: ${describe(translated.error)}` };
  }
}

/** Reads a text frame of a server. Never throws. */
export function parseCommand(frame: string): ParsedCommand {
  const envelope = openEnvelope(frame, "type");
  if (envelope.kind !== "envelope") return envelope;
  if (!isCommandType(envelope.name)) return { kind: "unknown", name: envelope.name.slice(0, 64) };
  if (envelope.name === "chat_message" && envelope.data["role"] === "user") return { kind: "echo" };
  const parsed = commandSchemas[envelope.name].safeParse({ type: envelope.name, data: envelope.data });
  return parsed.success
    ? { kind: "command", command: parsed.data }
    : { kind: "malformed", problem: `${envelope.name}: ${describe(parsed.error)}` };
}

interface Envelope {
  readonly kind: "envelope";
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const plainObject = z.record(z.string(), z.unknown());

function openEnvelope(frame: string, nameKey: "event_type" | "type"): Envelope | MalformedFrame {
  const value = plainObject.safeParse(parseJson(frame));
  if (!value.success) return { kind: "malformed", problem: "not a JSON object" };
  const name = value.data[nameKey];
  if (typeof name !== "string" || name === "") return { kind: "malformed", problem: `no ${nameKey}` };
  const data = plainObject.safeParse(value.data["data"]);
  if (!data.success) return { kind: "malformed", problem: `${name.slice(0, 64)}: no data object` };
  return { kind: "envelope", name, data: data.data };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isEventType(name: string): name is SyncEventType {
  return Object.hasOwn(eventSchemas, name);
}

function isCommandType(name: string): name is SyncCommandType {
  return Object.hasOwn(commandSchemas, name);
}

function describe(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
}
