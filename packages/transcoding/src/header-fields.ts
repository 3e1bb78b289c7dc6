// Fields that come from headers
//
//   Last-Event-ID      where a stream goes on, for a reconnecting EventSource
//   Idempotency-Key    the request id, which makes a call safe to repeat
//   If-Match           the etag that the resource must still have
//
// Each is for methods whose request has the configured field. A header and a body that say different things are refused. A
// key for a method without the field is ignored, as nothing is lost by it; an If-Match is refused there, because ignoring it
// would overwrite what the caller wanted to protect.

import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { findField } from "./field-lookup.ts";
import { headerOf, type NodeRequest } from "./node-http.ts";
import { invalidField } from "./rest-error.ts";
import type { RestRoute } from "./rest-routes.ts";
import type { RestSettings } from "./rest-settings.ts";

/** A value for a field from a header. */
export interface HeaderField {
  readonly name: string;
  readonly field: DescField;
  readonly value: string;
  /** Whether the header has the last word; otherwise it must agree with what the request says elsewhere. */
  readonly wins: boolean;
}

type FieldNames = Pick<RestSettings, "resumeField" | "etagField" | "requestIdField">;

/** What the headers of a request say about its fields. */
export function headerFieldsOf(request: NodeRequest, route: RestRoute, names: FieldNames): HeaderField[] {
  const { input, methodKind } = route.method;
  if (methodKind !== "unary") return one("last-event-id", request, fieldOf(input, names.resumeField), true);
  if (isRead(route)) return [];
  return [
    ...one("idempotency-key", request, fieldOf(input, names.requestIdField), false),
    ...ifMatch(request, route, names),
  ];
}

/** Whether the route only reads: its preconditions are judged by the answer, not by the service. */
export function isRead({ httpMethod }: Pick<RestRoute, "httpMethod">): boolean {
  return httpMethod === "GET";
}

function one(name: string, request: NodeRequest, field: DescField | undefined, wins: boolean): HeaderField[] {
  const value = unquoted(headerOf(request, name));
  return field === undefined || value === "" ? [] : [{ name, field, value, wins }];
}

function ifMatch(request: NodeRequest, { method }: RestRoute, { etagField }: FieldNames): HeaderField[] {
  const name = "if-match";
  const value = headerOf(request, name)?.trim() ?? "";
  if (etagField === undefined || value === "" || value === "*") return [];
  const field = fieldOf(method.input, etagField);
  if (field === undefined) throw invalidField(name, "is not supported by this method");
  if (!isEntityTag(value)) throw invalidField(name, "must be one entity tag in double quotes, or *");
  return [{ name, field, value, wins: false }];
}

/** One entity tag, RFC 9110, section 8.8.3. */
export function isEntityTag(text: string): boolean {
  return /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/.test(text);
}

function fieldOf(message: DescMessage, name: string | undefined): DescField | undefined {
  const field = name === undefined ? undefined : findField(message, name);
  return field?.fieldKind === "scalar" ? field : undefined;
}

/** Idempotency-Key is a string of structured headers, in double quotes; many send it bare. */
function unquoted(value: string | undefined): string {
  const text = value?.trim() ?? "";
  return /^"[^"]*"$/.test(text) ? text.slice(1, -1) : text;
}
