// Text that no database of ours can hold
//
// A request may carry what PostgreSQL refuses: NUL characters, and the lone surrogates that JSON lets through. Rules in
// the proto cannot say so for every field, so all text of every request is looked at here, also the names and values of
// free-form settings and the keys of maps.
//
// Places are spelled as the rules in the proto spell theirs. Free-form settings are spelled like the maps and lists that
// they look like: `work_sessions[2].name`, `labels["a.b"]`, `agent_config.extra["a.b"][0]`. A key with such text is told
// of the field that holds it, and what lies behind the key is not looked at: its place could not be written down.
//
// Nearly all requests are well, so a quick look comes first that knows nothing of fields.

import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { type Path, pathToString } from "@bufbuild/protobuf/reflect";
import type { Violation } from "@helix-zed/domain";

/** Every field of a request with text that cannot be stored. */
export function unstorableText(schema: DescMessage, message: Message): Violation[] {
  return isStorable(message) ? [] : inMessage(schema, message, []);
}

function isStorable(value: unknown): boolean {
  if (typeof value === "string") return isStorableText(value);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return true;
  if (Array.isArray(value)) return value.every(isStorable);
  return Object.entries(value).every(([key, inner]) => isStorableText(key) && isStorable(inner));
}

function isStorableText(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

function inMessage(schema: DescMessage, message: object, path: Path): Violation[] {
  return schema.fields.flatMap((field) => inField(field, valueOf(message, field), [...path, field]));
}

function inField(field: DescField, value: unknown, path: Path): Violation[] {
  const { message: schema } = field;
  if (field.fieldKind === "list") return inList(value, path, (item, place) => inValue(schema, item, place));
  if (field.fieldKind === "map") return inObject(value, path, (item, place) => inValue(schema, item, place));
  return inValue(schema, value, path);
}

function inValue(schema: DescMessage | undefined, value: unknown, path: Path): Violation[] {
  // Settings are kept as the JSON that they are.
  if (schema === undefined || schema.typeName === "google.protobuf.Struct") return inJson(value, path);
  return typeof value === "object" && value !== null ? inMessage(schema, value, path) : [];
}

function inJson(value: unknown, path: Path): Violation[] {
  if (typeof value === "string") return isStorableText(value) ? [] : [violation(path, "contain")];
  return Array.isArray(value) ? inList(value, path, inJson) : inObject(value, path, inJson);
}

type Look = (value: unknown, path: Path) => Violation[];

function inList(value: unknown, path: Path, look: Look): Violation[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item, index) => look(item, [...path, { kind: "list_sub", index }]));
}

function inObject(value: unknown, path: Path, look: Look): Violation[] {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return [];
  const entries = Object.entries(value);
  const isKeyBad = entries.some(([key]) => !isStorableText(key));
  const well = entries.filter(([key]) => isStorableText(key));
  const inner = well.flatMap(([key, item]) => look(item, [...path, { kind: "map_sub", key }]));
  return isKeyBad ? [violation(path, "have keys with"), ...inner] : inner;
}

function violation(path: Path, verb: string): Violation {
  return { field: pathToString(path), description: `must not ${verb} NUL characters or lone surrogates` };
}

/** What a message holds in a field, whether it stands by itself or is one of several. */
function valueOf(message: object, { localName, oneof }: DescField): unknown {
  const members: Readonly<Record<string, unknown>> = { ...message };
  if (oneof === undefined) return members[localName];
  const { case: chosen, value } = { case: undefined, value: undefined, ...Object(members[oneof.localName]) };
  return chosen === localName ? value : undefined;
}
