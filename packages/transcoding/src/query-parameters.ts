import type { DescField } from "@bufbuild/protobuf";
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";
import { assignText } from "./assign-text.ts";
import type { Binding } from "./binding.ts";
import { type FieldPath, isTextual, resolveFieldPath } from "./field-lookup.ts";
import type { JsonReader } from "./json-reader.ts";
import { percentDecode } from "./percent-decode.ts";
import { invalidField } from "./rest-error.ts";
import type { Violations } from "./violations.ts";

const parametersMax = 500;

/** A name and a value, decoded. */
export interface QueryParameter {
  readonly name: string;
  readonly value: string;
}

/** Splits and decodes a raw query (without the "?"); "+" is a space. Throws on malformed escapes. */
export function parseQuery(rawQuery: string): QueryParameter[] {
  if (rawQuery === "") return [];
  const pieces = rawQuery.split("&", parametersMax + 1).filter((piece) => piece !== "");
  if (pieces.length > parametersMax) throw invalidField("", `more than ${parametersMax} query parameters`);
  return pieces.map((piece) => {
    const equals = piece.indexOf("=");
    const rawName = equals < 0 ? piece : piece.slice(0, equals);
    const name = decode(rawName, rawName);
    return { name, value: equals < 0 ? "" : decode(piece.slice(equals + 1), name) };
  });
}

function decode(raw: string, name: string): string {
  const text = percentDecode(raw.replaceAll("+", " "));
  if (text === undefined) throw invalidField(name, "has a malformed percent escape");
  return text;
}

/**
 * Sets request fields from query parameters. A parameter is a dotted path of field names, proto or JSON; repeating it
 * is only for repeated fields. What no field stands for is refused by name: a mistyped filter that is silently ignored
 * returns everything.
 */
export function applyQuery(
  target: { readonly binding: Binding; readonly request: ReflectMessage },
  parameters: readonly QueryParameter[],
  { reader, violations }: { readonly reader: JsonReader; readonly violations: Violations },
): void {
  const claims = new Map<string, Claim>();
  for (const { name, value } of parameters) {
    const path = resolveParameter(target.binding, name);
    const problem = typeof path === "string" ? path : (problemOf(target.binding, path) ?? claim(claims, path, name));
    if (problem !== undefined) violations.add(name, problem);
    else if (typeof path !== "string") assignText(reader, target.request, path, value, name);
  }
}

function resolveParameter({ method, body }: Binding, name: string): FieldPath | string {
  if (body.kind === "all" || (body.kind === "raw" && body.field === undefined))
    return "is not known: all fields of this request come from the body and the path";
  const path = resolveFieldPath(method.input, name.split("."));
  return path === "is not known" ? "is not a known query parameter" : path;
}

function problemOf({ body, pathVariables }: Binding, path: FieldPath): string | undefined {
  if ((body.kind === "field" || body.kind === "raw") && path[0] === body.field) return "is given in the body";
  if (pathVariables.some(({ fields }) => samePath(fields, path))) return "is given in the path";
  return isTextual(lastOf(path)) ? undefined : "cannot be given as a query parameter: it is a message or a map";
}

interface Claim {
  readonly field: DescField;
  readonly name: string;
}

/** Notes which field, and which case of each oneof on the way, a parameter sets; says what it collides with. */
function claim(claims: Map<string, Claim>, path: FieldPath, name: string): string | undefined {
  const field = lastOf(path);
  let prefix = "";
  for (const step of path) {
    const oneof = step.oneof && prefix + step.oneof.name;
    const rival = oneof === undefined ? undefined : claims.get(oneof);
    if (rival !== undefined && rival.field !== step) return `cannot be given together with "${rival.name}"`;
    if (oneof !== undefined) claims.set(oneof, { field: step, name });
    prefix += `${step.name}.`;
  }
  if (claims.has(prefix) && field.fieldKind !== "list") return "is given more than once";
  claims.set(prefix, { field, name });
  return undefined;
}

function samePath(left: FieldPath, right: FieldPath): boolean {
  return left.length === right.length && left.every((field, index) => field === right[index]);
}

function lastOf(path: FieldPath): DescField {
  return path.at(-1) ?? path[0];
}
