import type { DescField, JsonValue } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { type JsonReader, textToScalarJson } from "./json-reader.ts";
import type { FieldPath } from "./field-lookup.ts";

/**
 * Sets the field at the end of a path from text, as path variables and query parameters do; messages on the way are
 * created. A repeated field gets the value added. What cannot be read is noted under the name `at`.
 */
export function assignText(reader: JsonReader, root: ReflectMessage, path: FieldPath, text: string, at: string): void {
  const [parent, field] = reach(root, path);
  const value = reader.readValue(field, textToJson(field, text), at);
  if (value === undefined) return;
  if (field.fieldKind === "list") parent.get(field).add(value);
  else parent.set(field, value);
}

function reach(root: ReflectMessage, [first, ...rest]: FieldPath): [ReflectMessage, DescField] {
  let parent = root;
  let field = first;
  for (const next of rest) {
    if (field.fieldKind !== "message") throw new Error(`${field.toString()} has no fields inside`);
    const child: ReflectMessage = parent.isSet(field) ? parent.get(field) : reflect(field.message);
    parent.set(field, child);
    parent = child;
    field = next;
  }
  return [parent, field];
}

function textToJson(field: DescField, text: string): JsonValue {
  if (field.enum !== undefined) return /^-?\d{1,10}$/.test(text) ? Number(text) : text;
  if (field.message === undefined) return textToScalarJson(field.scalar, text);
  return isWrapperDesc(field.message) ? textToScalarJson(field.message.fields[0].scalar, text) : text;
}
