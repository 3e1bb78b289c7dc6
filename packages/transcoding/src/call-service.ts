import type { DescMethod, DescMethodServerStreaming, DescMethodUnary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { negotiate } from "./accept.ts";
import { readTimeoutMs } from "./deadline.ts";
import { decodeRequest } from "./decode-request.ts";
import { findField } from "./field-lookup.ts";
import { forwardRequestHeaders, forwardResponseHeaders } from "./forwarded-headers.ts";
import type { Call } from "./invoker.ts";
import { headerOf, type NodeRequest, type NodeResponse } from "./node-http.ts";
import { readJsonBody } from "./request-body.ts";
import { RestError } from "./rest-error.ts";
import type { RestRoute } from "./rest-routes.ts";
import type { RestSettings } from "./rest-settings.ts";
import { sendJson } from "./send-json.ts";
import { sendStream } from "./send-stream.ts";
import { newlineDelimitedJson, serverSentEvents, type StreamFormat } from "./stream-format.ts";
import { itemMaker } from "./stream-item.ts";

/** A request that has found its route, and where its answer goes. */
export interface Exchange {
  readonly request: NodeRequest;
  readonly response: NodeResponse;
  readonly route: RestRoute;
  readonly segments: readonly string[];
  readonly rawQuery: string;
  /** Aborted when there is nobody left to answer. */
  readonly signal: AbortSignal;
}

/** Carries a request to its service and the answer back. Throws whatever fails before the response began. */
export async function callService(exchange: Exchange, settings: RestSettings): Promise<void> {
  const { method } = exchange.route;
  if (isUnary(method)) return await callUnary(method, exchange, settings);
  if (isServerStreaming(method)) return await callServerStream(method, exchange, settings);
  const message = "A stream of requests cannot be sent over REST; use gRPC or Connect.";
  throw new RestError(Code.Unimplemented, "NOT_IMPLEMENTED", message);
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

function isServerStreaming(method: DescMethod): method is DescMethodServerStreaming {
  return method.methodKind === "server_streaming";
}

async function callUnary(method: DescMethodUnary, exchange: Exchange, settings: RestSettings): Promise<void> {
  const { request, response, route } = exchange;
  requireAcceptable(request, ["application/json"]);
  const call = await prepare(exchange, settings, settings.defaultTimeoutMs);
  const { header, message } = await route.invoker.unary(method, call);
  sendJson(response, {
    status: 200,
    headers: forwardResponseHeaders(header, settings.allowResponseHeader),
    body: settings.writeJson(method.output, message, route.responseBody),
    bodiless: request.method === "HEAD",
  });
}

const formats: readonly StreamFormat[] = [serverSentEvents, newlineDelimitedJson];

async function callServerStream(
  method: DescMethodServerStreaming,
  exchange: Exchange,
  settings: RestSettings,
): Promise<void> {
  const { request, response, route } = exchange;
  const contentType = requireAcceptable(
    request,
    formats.map((format) => format.contentType),
  );
  const call = await prepare(exchange, settings, undefined);
  await sendStream(response, {
    open: () => route.invoker.serverStream(method, call),
    format: formats.find((format) => format.contentType === contentType) ?? serverSentEvents,
    toItem: itemMaker(route, settings),
    headersOf: ({ header }) => forwardResponseHeaders(header, settings.allowResponseHeader),
    present: settings.present,
    timing: settings.timing,
    signal: exchange.signal,
  });
}

function requireAcceptable(request: NodeRequest, offered: readonly string[]): string {
  const chosen = negotiate(headerOf(request, "accept"), offered);
  if (chosen !== undefined) return chosen;
  const message = `The answer can only be ${offered.join(" or ")}.`;
  throw new RestError(Code.InvalidArgument, "NOT_ACCEPTABLE", message, { httpStatus: 406 });
}

async function prepare(
  { request, route, segments, rawQuery, signal }: Exchange,
  settings: RestSettings,
  defaultTimeoutMs: number | undefined,
): Promise<Call> {
  const timeoutMs = readTimeoutMs(request) ?? defaultTimeoutMs;
  const body = await readJsonBody(request, settings.maxBodyBytes);
  const parts = { segments, rawQuery, body, header: resumeHeader(request, route, settings) };
  return {
    request: decodeRequest(route, parts, settings.registry),
    header: forwardRequestHeaders(request.headers, settings.allowRequestHeader),
    signal,
    timeoutMs: timeoutMs && Math.min(timeoutMs, settings.maxTimeoutMs),
  };
}

/** Where a reconnecting EventSource wants to go on. */
function resumeHeader(request: NodeRequest, { method }: RestRoute, { resumeField }: RestSettings) {
  const value = headerOf(request, "last-event-id");
  if (method.methodKind !== "server_streaming" || resumeField === undefined || !value) return undefined;
  const field = findField(method.input, resumeField);
  return field && { name: "last-event-id", field, value };
}
