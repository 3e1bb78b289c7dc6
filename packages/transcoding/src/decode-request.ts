import type { JsonValue, Message, Registry } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { assignText } from "./assign-text.ts";
import type { Binding } from "./binding.ts";
import type { HeaderField } from "./header-fields.ts";
import { setHttpBody } from "./http-body.ts";
import { JsonReader } from "./json-reader.ts";
import type { TemplateVariable } from "./path-template.ts";
import { percentDecode, percentDecodeExceptSlash } from "./percent-decode.ts";
import { applyQuery, parseQuery } from "./query-parameters.ts";
import type { RawBody } from "./request-body.ts";
import { invalidField } from "./rest-error.ts";
import { Violations } from "./violations.ts";

/** The parts of an HTTP request that fields come from. */
export interface RequestParts {
  /** The raw path, split at its slashes and without the verb. */
  readonly segments: readonly string[];
  readonly rawQuery: string;
  /** undefined when there was no body. */
  readonly body: JsonValue | undefined;
  /** The body of a request that takes bytes of any kind. */
  readonly rawBody?: RawBody | undefined;
  readonly headers?: readonly HeaderField[];
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
  if (parts.rawBody !== undefined && binding.body.kind === "raw")
    setHttpBody(request, binding.body.field, parts.rawBody);
  applyQuery({ binding, request }, parseQuery(parts.rawQuery), { reader, violations });
  for (const { variable, fields } of binding.pathVariables) {
    const name = variable.fieldPath.join(".");
    assignText(reader, request, fields, capture(variable, parts.segments), name);
  }
  for (const header of parts.headers ?? []) applyHeader({ reader, violations }, request, header);
  violations.throwIfAny();
  return request.message;
}

function applyHeader(
  { reader, violations }: { readonly reader: JsonReader; readonly violations: Violations },
  request: ReflectMessage,
  { name, field, value, wins }: HeaderField,
): void {
  const before = field.fieldKind === "scalar" && request.isSet(field) ? String(request.get(field)) : undefined;
  if (wins || before === undefined) assignText(reader, request, [field], value, name);
  else if (before !== value) violations.add(name, `differs from ${field.name}, which the request gives as well`);
}

function readBody(
  reader: JsonReader,
  { binding: { body }, request }: { readonly binding: Binding; readonly request: ReflectMessage },
  json: JsonValue,
): void {
  if (body.kind === "none") throw invalidField("", "this request has no body");
  if (body.kind === "raw") throw new Error("a body of any kind is not read as JSON");
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
