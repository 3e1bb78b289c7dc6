import {
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  type Message,
  type Registry,
  toJson,
} from "@bufbuild/protobuf";
import { enumNamesOf } from "./enum-names.ts";
import { isJsonObject } from "./json-object.ts";

/**
 * The two ways to spell a message in JSON. Both are accepted on input whatever the output is.
 *
 * - `proto`: ProtoJSON. camelCase fields, full enum names.
 * - `plain`: snake_case fields as in the .proto file, enum values in lower case without their prefix, field masks in
 *   snake_case. An enum that is not set is left out. What stands inside an Any stays ProtoJSON.
 */
export type JsonDialect = "proto" | "plain";

/** How messages are written. */
export interface JsonWriteOptions {
  readonly dialect: JsonDialect;
  /** Write fields that hold their default (0, "", false, empty lists), so that the shape of a resource is always the same. */
  readonly emitDefaults: boolean;
  /** Knows the types that an Any may hold. */
  readonly registry?: Registry | undefined;
}

/** Writes a message, or only one field of it (null when that is not set), as a JSON value. */
export type JsonWriter = (desc: DescMessage, message: Message, only?: DescField) => JsonValue;

/** Makes the function that writes messages. */
export function createJsonWriter({ dialect, emitDefaults, registry }: JsonWriteOptions): JsonWriter {
  const useProtoFieldName = dialect === "plain";
  return (desc, message, only) => {
    const json = toJson(desc, message, { useProtoFieldName, alwaysEmitImplicit: emitDefaults, registry });
    const written = dialect === "plain" ? simplifierOf(desc)(json) : json;
    if (only === undefined || !isJsonObject(written)) return written;
    return written[useProtoFieldName ? only.name : only.jsonName] ?? null;
  };
}

/** Rewrites the ProtoJSON of one type in place, from full to short names. */
type Simplify = (json: JsonValue) => JsonValue;

const keep: Simplify = (json) => json;
const simplifiers = new WeakMap<DescMessage, Simplify>();

function simplifierOf(desc: DescMessage): Simplify {
  let simplifier = simplifiers.get(desc);
  if (simplifier === undefined) {
    // Messages may contain themselves: until this one is compiled, its fields look it up again when they are written.
    simplifiers.set(desc, (json) => simplifierOf(desc)(json));
    simplifier = desc.typeName.startsWith("google.protobuf.") ? wellKnownSimplifier(desc) : compile(desc);
    simplifiers.set(desc, simplifier);
  }
  return simplifier;
}

function wellKnownSimplifier(desc: DescMessage): Simplify {
  if (desc.typeName !== "google.protobuf.FieldMask") return keep;
  return (json) => (typeof json === "string" ? json.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : json);
}

function compile(desc: DescMessage): Simplify {
  const steps = desc.fields.map(compileField).filter((step) => step !== undefined);
  if (steps.length === 0) return keep;
  return (json) => {
    // Every message that is not well-known is written as an object.
    if (isJsonObject(json)) for (const step of steps) step(json);
    return json;
  };
}

function compileField(field: DescField): ((parent: JsonObject) => void) | undefined {
  const simplify = valueSimplifier(field);
  if (simplify === keep) return undefined;
  const { name } = field;
  const unspecified = field.fieldKind === "enum" ? enumNamesOf(field.enum).unspecified : undefined;
  return (parent) => {
    const json = parent[name];
    if (json === undefined) return;
    if (json === unspecified) delete parent[name];
    else parent[name] = simplifyEach(field, simplify, json);
  };
}

function simplifyEach(field: DescField, simplify: Simplify, json: JsonValue): JsonValue {
  if (field.fieldKind === "list" && Array.isArray(json)) return json.map(simplify);
  if (field.fieldKind !== "map" || !isJsonObject(json)) return simplify(json);
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, simplify(value)]));
}

function valueSimplifier(field: DescField): Simplify {
  if (field.message !== undefined) return simplifierOf(field.message);
  if (field.enum === undefined) return keep;
  const { shortNames } = enumNamesOf(field.enum);
  return (json) => (typeof json === "string" ? (shortNames.get(json) ?? json) : json);
}
