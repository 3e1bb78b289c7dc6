import type { DescField, JsonValue, Message, Registry } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { assignText } from "./assign-text.ts";
import type { Binding } from "./binding.ts";
import { JsonReader } from "./json-reader.ts";
import type { TemplateVariable } from "./path-template.ts";
import { percentDecode, percentDecodeExceptSlash } from "./percent-decode.ts";
import { applyQuery, parseQuery } from "./query-parameters.ts";
import { invalidField } from "./rest-error.ts";
import { Violations } from "./violations.ts";

/** The parts of an HTTP request that fields come from. */
export interface RequestParts {
  /** The raw path, split at its slashes and without the verb. */
  readonly segments: readonly string[];
  readonly rawQuery: string;
  /** undefined when there was no body. */
  readonly body: JsonValue | undefined;
  /** A value from a header, which has the last word on its field. */
  readonly header?: { readonly name: string; readonly field: DescField; readonly value: string } | undefined;
}

/**
 * Builds the request message: body first, then query parameters, then path variables, which have the last word.
 * Throws INVALID_ARGUMENT with everything that is wrong.
 */
export function decodeRequest(binding: Binding, parts: RequestParts, registry?: Registry): Message {
  const violations = new Violations();
  const reader = new JsonReader(violations, registry);
  const request = reflect(binding.method.input);
  if (parts.body !== undefined) readBody(reader, { binding, request }, parts.body);
  applyQuery({ binding, request }, parseQuery(parts.rawQuery), { reader, violations });
  for (const { variable, fields } of binding.pathVariables) {
    const name = variable.fieldPath.join(".");
    assignText(reader, request, fields, capture(variable, parts.segments), name);
  }
  if (parts.header !== undefined) {
    assignText(reader, request, [parts.header.field], parts.header.value, parts.header.name);
  }
  violations.throwIfAny();
  return request.message;
}

function readBody(
  reader: JsonReader,
  { binding: { body }, request }: { readonly binding: Binding; readonly request: ReflectMessage },
  json: JsonValue,
): void {
  if (body.kind === "none") throw invalidField("", "this request has no body");
  if (body.kind === "all") reader.readInto(request, json, "");
  else if (json !== null) reader.readField(request, body.field, json, body.field.name);
}

/** The value of a path variable, decoded once; an escaped slash stays escaped where a plain one could stand. */
function capture({ start, end, multiSegment, fieldPath }: TemplateVariable, segments: readonly string[]): string {
  const raw = segments.slice(start, end).join("/");
  const text = multiSegment ? percentDecodeExceptSlash(raw) : percentDecode(raw);
  if (text === undefined) throw invalidField(fieldPath.join("."), "has a malformed percent escape");
  return text;
}
