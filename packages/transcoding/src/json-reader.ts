import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescOneof,
  type JsonValue,
  type Registry,
  ScalarType,
} from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { enumNamesOf } from "./enum-names.ts";
import { findField } from "./field-lookup.ts";
import { isJsonObject } from "./json-object.ts";
import { expectationOf, readScalar } from "./read-scalar.ts";
import { readWellKnown, wellKnownExpectationOf } from "./read-well-known.ts";
import type { Violations } from "./violations.ts";

const depthMax = 100;
const shownMax = 60;

/**
 * JSON to message, both dialects at once: fields by proto name or JSON name, enum values by full name, short name or
 * number. It does not stop at the first problem: each is noted under the path of its field, and whoever owns the
 * violations throws them, and the half-read message away, at the end.
 *
 * Every method takes `at`: the path of what it reads, "" for the outermost message.
 */
export class JsonReader {
  readonly #violations: Violations;
  readonly #registry: Registry | undefined;
  #depth = 0;

  /** `registry` knows the types that an Any may hold. */
  constructor(violations: Violations, registry: Registry | undefined) {
    this.#violations = violations;
    this.#registry = registry;
  }

  /** Reads a JSON object into a message. */
  readInto(message: ReflectMessage, json: JsonValue, at: string): void {
    if (!isJsonObject(json)) return this.#violations.add(at, `must be a JSON object, got ${show(json)}`);
    if (this.#depth >= depthMax) return this.#violations.add(at, `is nested more than ${depthMax} levels deep`);
    this.#depth++;
    const seen = new Map<DescField | DescOneof, string>();
    for (const [name, value] of Object.entries(json)) {
      const path = at === "" ? name : `${at}.${name}`;
      const field = this.#claimField(message.desc, { name, value, path, seen });
      if (field !== undefined) this.readField(message, field, value, path);
    }
    this.#depth--;
  }

  /** Reads the JSON value of one field: a single value, an array for a repeated field, an object for a map. */
  readField(message: ReflectMessage, field: DescField, json: JsonValue, at: string): void {
    if (field.fieldKind === "list") return this.#readList(message, field, json, at);
    if (field.fieldKind === "map") return this.#readMap(message, field, json, at);
    const value = this.readValue(field, json, at);
    if (value !== undefined) message.set(field, value);
  }

  /** Reads one value, or one item of a repeated field; undefined after noting what is wrong with it. */
  readValue(field: DescField, json: JsonValue, at: string): unknown {
    if (field.message !== undefined) return this.#readMessage(field.message, json, at);
    if (field.enum !== undefined) return this.#readEnum(field.enum, json, at);
    const value = readScalar(field.scalar, json);
    if (value === undefined) this.#violations.add(at, `must be ${expectationOf(field.scalar)}, got ${show(json)}`);
    return value;
  }

  /** The field that a member of a JSON object sets; undefined for null, which sets nothing, and for mistakes. */
  #claimField(
    desc: DescMessage,
    { name, value, path, seen }: { name: string; value: JsonValue; path: string; seen: Map<unknown, string> },
  ): DescField | undefined {
    const field = findField(desc, name);
    if (field === undefined) {
      this.#violations.add(path, `is not a field of ${desc.name}`);
      return undefined;
    }
    if (value === null && !acceptsNull(field)) return undefined;
    const claim = field.oneof ?? field;
    const rival = seen.get(claim);
    if (rival !== undefined) {
      this.#violations.add(path, `cannot be given together with "${rival}"`);
      return undefined;
    }
    seen.set(claim, name);
    return field;
  }

  #readList(message: ReflectMessage, field: DescField & { fieldKind: "list" }, json: JsonValue, at: string): void {
    if (!Array.isArray(json)) return this.#violations.add(at, `must be a JSON array, got ${show(json)}`);
    const list = message.get(field);
    for (const [index, item] of json.entries()) {
      const value = this.readValue(field, item, `${at}[${index}]`);
      if (value !== undefined) list.add(value);
    }
  }

  #readMap(message: ReflectMessage, field: DescField & { fieldKind: "map" }, json: JsonValue, at: string): void {
    if (!isJsonObject(json)) return this.#violations.add(at, `must be a JSON object, got ${show(json)}`);
    const map = message.get(field);
    for (const [name, item] of Object.entries(json)) {
      const path = `${at}[${JSON.stringify(name)}]`;
      const key = readScalar(field.mapKey, textToScalarJson(field.mapKey, name));
      if (key === undefined) this.#violations.add(path, `the key must be ${expectationOf(field.mapKey)}`);
      const value = this.readValue(field, item, path);
      if (key !== undefined && value !== undefined) map.set(key, value);
    }
  }

  #readMessage(desc: DescMessage, json: JsonValue, at: string): ReflectMessage | undefined {
    const expectation = wellKnownExpectationOf(desc);
    if (expectation !== undefined) {
      const message = readWellKnown(desc, json, this.#registry);
      if (message !== undefined) return reflect(desc, message);
      this.#violations.add(at, `must be ${expectation}, got ${show(json)}`);
      return undefined;
    }
    const message = reflect(desc);
    if (isWrapperDesc(desc)) this.readField(message, desc.fields[0], json, at);
    else this.readInto(message, json, at);
    return message;
  }

  #readEnum(desc: DescEnum, json: JsonValue, at: string): number | undefined {
    if (desc.typeName === "google.protobuf.NullValue" && json === null) return 0;
    const names = enumNamesOf(desc);
    const value = typeof json === "string" ? names.numbers.get(json) : knownNumber(desc, json);
    if (value === undefined) this.#violations.add(at, `must be one of ${names.allowed.join(", ")}; got ${show(json)}`);
    return value;
  }
}

/** Text as the JSON that stands for it: only true and false are not written as strings. */
export function textToScalarJson(type: ScalarType, text: string): JsonValue {
  return type === ScalarType.BOOL && (text === "true" || text === "false") ? text === "true" : text;
}

// Only numbers that have a name: what nobody can have meant is a mistake, also where the enum is open.
function knownNumber(desc: DescEnum, json: JsonValue): number | undefined {
  return typeof json === "number" && desc.value[json] !== undefined ? json : undefined;
}

function acceptsNull(field: DescField): boolean {
  if (field.fieldKind === "list" || field.fieldKind === "map") return false;
  return field.message?.typeName === "google.protobuf.Value" || field.enum?.typeName === "google.protobuf.NullValue";
}

/** A caller's own value, short enough for a message. */
function show(json: JsonValue): string {
  if (Array.isArray(json)) return "an array";
  if (isJsonObject(json)) return "an object";
  const text = JSON.stringify(json);
  return text.length <= shownMax ? text : `${text.slice(0, shownMax)}…`;
}
