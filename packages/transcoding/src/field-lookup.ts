import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";

const byNames = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

/** The field with a proto name or a JSON name. */
export function findField(message: DescMessage, name: string): DescField | undefined {
  let fields = byNames.get(message);
  if (fields === undefined) {
    fields = new Map(
      message.fields.flatMap((field) => [[field.jsonName, field] as const, [field.name, field] as const]),
    );
    byNames.set(message, fields);
  }
  return fields.get(name);
}

/** From a message inwards: every field but the last is a singular message. */
export type FieldPath = readonly [DescField, ...DescField[]];

const depthMax = 32;

/** The fields that dotted names lead to; a string says why they lead nowhere. */
export function resolveFieldPath(message: DescMessage, names: readonly string[]): FieldPath | string {
  if (names.length > depthMax) return `is nested more than ${depthMax} levels deep`;
  const fields: DescField[] = [];
  let parent: DescMessage | undefined = message;
  for (const name of names) {
    if (parent === undefined) return `has no field "${name}" inside: it is not a message`;
    const field = findField(parent, name);
    if (field === undefined) return fields.length === 0 ? "is not known" : `has no field "${name}" inside`;
    fields.push(field);
    parent = field.fieldKind === "message" ? field.message : undefined;
  }
  const [first, ...rest] = fields;
  return first === undefined ? "has no name" : [first, ...rest];
}

const textMessages = new Set(["Timestamp", "Duration", "FieldMask"].map((name) => `google.protobuf.${name}`));

/** Can one piece of text stand for the field's value (or one item of it): a scalar, an enum, a well-known scalar? */
export function isTextual(field: DescField): boolean {
  if (field.fieldKind === "map") return false;
  return field.message === undefined || textMessages.has(field.message.typeName) || isWrapperDesc(field.message);
}
