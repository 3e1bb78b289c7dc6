import { type DescField, type DescMessage, type DescMethod, type DescService, getOption } from "@bufbuild/protobuf";
import { type FieldPath, findField, isTextual, resolveFieldPath } from "./field-lookup.ts";
import { http } from "./gen/google/api/annotations_pb.ts";
import type { HttpRule } from "./gen/google/api/http_pb.ts";
import { isHttpBody } from "./http-body.ts";
import { type PathTemplate, parsePathTemplate, type TemplateVariable } from "./path-template.ts";
import type { Route } from "./route-trie.ts";

/** Where the fields of a request come from, apart from the path. */
export type BodyRule =
  | { readonly kind: "none" }
  | { readonly kind: "all" }
  | { readonly kind: "field"; readonly field: DescField }
  /** Bytes of any media type: the request is an HttpBody, or has a field that is one. */
  | { readonly kind: "raw"; readonly field: DescField | undefined };

/** One way to call one RPC over HTTP: an HTTP rule, resolved against the messages and checked. */
export interface Binding extends Route {
  readonly method: DescMethod;
  readonly pathVariables: readonly { readonly variable: TemplateVariable; readonly fields: FieldPath }[];
  readonly body: BodyRule;
  /** The field of the response that is the whole answer; undefined: the response itself is. */
  readonly responseBody: DescField | undefined;
  /** Whether the answer is bytes of any media type. */
  readonly answersRaw: boolean;
}

/** A google.api.http annotation that cannot be served; the message names the method. */
export class BindingError extends Error {
  constructor(method: DescMethod, problem: string, options?: ErrorOptions) {
    super(`${method.parent.typeName}.${method.name}: ${problem}`, options);
    this.name = "BindingError";
  }
}

/** All bindings of a service, in order of declaration; methods without annotation have none. Throws BindingError. */
export function bindingsOf(service: DescService): Binding[] {
  return service.methods.flatMap((method) => {
    const rule = getOption(method, http);
    if (rule.pattern.case === undefined && rule.additionalBindings.length === 0) return [];
    return [bind(method, rule), ...rule.additionalBindings.map((additional) => bindAdditional(method, additional))];
  });
}

function bindAdditional(method: DescMethod, rule: HttpRule): Binding {
  if (rule.additionalBindings.length > 0) throw new BindingError(method, "additional_bindings cannot be nested");
  return bind(method, rule);
}

function bind(method: DescMethod, rule: HttpRule): Binding {
  if (rule.selector !== "") throw new BindingError(method, "an annotation has no selector");
  const [httpMethod, source] = patternOf(method, rule);
  const template = parseTemplate(method, source);
  const responseBody = rule.responseBody === "" ? undefined : topLevelField(method, method.output, rule.responseBody);
  return {
    method,
    httpMethod,
    template,
    pathVariables: template.variables.map((variable) => ({ variable, fields: bindVariable(method, variable) })),
    body: bindBody(method, { httpMethod, name: rule.body }),
    responseBody,
    answersRaw: responseBody === undefined ? isHttpBody(method.output) : isSingularHttpBody(responseBody),
  };
}

function patternOf(method: DescMethod, { pattern }: HttpRule): readonly [httpMethod: string, source: string] {
  if (pattern.case === undefined) throw new BindingError(method, "the annotation has no path");
  if (pattern.case !== "custom") return [pattern.case.toUpperCase(), pattern.value];
  return [pattern.value.kind, pattern.value.path];
}

function parseTemplate(method: DescMethod, source: string): PathTemplate {
  try {
    return parsePathTemplate(source);
  } catch (error) {
    throw new BindingError(method, error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function bindVariable(method: DescMethod, { fieldPath }: TemplateVariable): FieldPath {
  const name = fieldPath.join(".");
  const fields = resolveFieldPath(method.input, fieldPath);
  if (typeof fields === "string") throw new BindingError(method, `path variable "${name}" ${fields}`);
  const field = fields.at(-1) ?? fields[0];
  if (field.fieldKind === "list" || !isTextual(field)) {
    throw new BindingError(method, `path variable "${name}" is not a singular scalar`);
  }
  return fields;
}

function bindBody(method: DescMethod, { httpMethod, name }: { httpMethod: string; name: string }): BodyRule {
  if (name === "") return { kind: "none" };
  if (httpMethod === "GET" || httpMethod === "DELETE") throw new BindingError(method, `${httpMethod} has no body`);
  if (name === "*") return isHttpBody(method.input) ? { kind: "raw", field: undefined } : { kind: "all" };
  const field = topLevelField(method, method.input, name);
  return { kind: isSingularHttpBody(field) ? "raw" : "field", field };
}

function topLevelField(method: DescMethod, message: DescMessage, name: string): DescField {
  const field = findField(message, name);
  if (field === undefined) throw new BindingError(method, `${message.name} has no field "${name}"`);
  return field;
}

function isSingularHttpBody(field: DescField): boolean {
  return field.fieldKind === "message" && isHttpBody(field.message);
}
