// The answer to a call that has succeeded, and what its preconditions make of it
//
// A read tells the entity tag of its resource. If the caller has that version already (If-None-Match), the answer is 304
// without a body; if the caller wanted another one (If-Match), it is 412. The tag names the version of the resource, whatever
// coding or dialect it is sent in: it is what a later change must give back.

import type { DescMessage, Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { Code } from "@connectrpc/connect";
import { findField } from "./field-lookup.ts";
import { forwardResponseHeaders } from "./forwarded-headers.ts";
import { isEntityTag, isRead } from "./header-fields.ts";
import { httpBodyOf, inertHeaders } from "./http-body.ts";
import type { UnaryReply } from "./invoker.ts";
import { headerOf, type NodeRequest } from "./node-http.ts";
import { RestError } from "./rest-error.ts";
import type { RestRoute } from "./rest-routes.ts";
import type { RestSettings } from "./rest-settings.ts";
import { type Answer, jsonAnswer } from "./send-answer.ts";

/** Makes the answer to a request out of the service's reply. */
export function answerOf(request: NodeRequest, route: RestRoute, reply: UnaryReply, settings: RestSettings): Answer {
  const { method, responseBody } = route;
  const forwarded = forwardResponseHeaders(reply.header, settings.allowResponseHeader);
  const etag = isRead(route) ? etagOf(route, reply.message, settings.etagField) : undefined;
  const headers = etag === undefined ? forwarded : { ...forwarded, etag };
  if (etag !== undefined && isUnchanged(request, etag)) return jsonAnswer(304, headers, null);
  if (!route.answersRaw)
    return jsonAnswer(200, headers, settings.writeJson(method.output, reply.message, responseBody));
  const { contentType, data } = httpBodyOf(method.output, reply.message, responseBody);
  return {
    status: 200,
    headers: { ...inertHeaders, ...headers },
    contentType: contentType || "application/octet-stream",
    bytes: data,
  };
}

function isUnchanged(request: NodeRequest, etag: string): boolean {
  const wanted = headerOf(request, "if-match");
  if (wanted !== undefined && !lists(wanted, etag, sameStrongly)) {
    const message = `The resource has another version now: ${etag}.`;
    throw new RestError(Code.FailedPrecondition, "PRECONDITION_FAILED", message, {
      httpStatus: 412,
      headers: { etag },
    });
  }
  const known = headerOf(request, "if-none-match");
  return known !== undefined && lists(known, etag, sameWeakly);
}

function etagOf(
  { method, responseBody }: RestRoute,
  message: Message,
  etagField: string | undefined,
): string | undefined {
  if (etagField === undefined) return undefined;
  if (responseBody === undefined) return textOf(method.output, message, etagField);
  const inner = reflect(method.output, message);
  if (responseBody.fieldKind !== "message" || !inner.isSet(responseBody)) return undefined;
  const resource = inner.get(responseBody);
  return textOf(resource.desc, resource.message, etagField);
}

function textOf(desc: DescMessage, message: Message, name: string): string | undefined {
  const field = findField(desc, name);
  const value: unknown = field?.fieldKind === "scalar" ? reflect(desc, message).get(field) : undefined;
  return typeof value === "string" && isEntityTag(value) ? value : undefined;
}

function lists(header: string, etag: string, same: (left: string, right: string) => boolean): boolean {
  if (header.trim() === "*") return true;
  return (header.match(/(?:W\/)?"[^"]*"/g) ?? []).some((each) => same(each, etag));
}

function sameStrongly(left: string, right: string): boolean {
  return left === right && !left.startsWith("W/");
}

function sameWeakly(left: string, right: string): boolean {
  return left.replace(/^W\//, "") === right.replace(/^W\//, "");
}
