import type { DescMethod, DescMethodServerStreaming, DescMethodUnary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { negotiate } from "./accept.ts";
import { readTimeoutMs } from "./deadline.ts";
import { decodeRequest } from "./decode-request.ts";
import { forwardRequestHeaders, forwardResponseHeaders } from "./forwarded-headers.ts";
import type { Call } from "./invoker.ts";
import { headerOf, type NodeRequest, type NodeResponse } from "./node-http.ts";
import { answerOf } from "./unary-answer.ts";
import { headerFieldsOf, isRead } from "./header-fields.ts";
import { readJsonBody, readRawBody } from "./request-body.ts";
import { PreconditionFailed, RestError } from "./rest-error.ts";
import type { RestRoute } from "./rest-routes.ts";
import type { RestSettings } from "./rest-settings.ts";
import { sendAnswer } from "./send-answer.ts";
import { sendStream } from "./send-stream.ts";
import { newlineDelimitedJson, rawBytes, serverSentEvents, type StreamFormat } from "./stream-format.ts";
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
  if (!route.answersRaw) requireAcceptable(request, ["application/json"]);
  const call = await prepare(exchange, settings, settings.defaultTimeoutMs);
  const reply = await route.invoker.unary(method, call).catch((error: unknown) => refuse(error, exchange));
  await sendAnswer(request, response, answerOf(request, route, reply, settings), settings);
}

/** What the caller made depend on a version has failed because of the version. */
function refuse(error: unknown, { request, route }: Exchange): never {
  const depends = headerOf(request, "if-match") !== undefined && !isRead(route);
  if (depends && error instanceof ConnectError && error.code === Code.Aborted) throw new PreconditionFailed(error);
  throw error;
}

const formats: readonly StreamFormat[] = [serverSentEvents, newlineDelimitedJson];
const streamTypes = formats.map((format) => format.contentType);

async function callServerStream(
  method: DescMethodServerStreaming,
  exchange: Exchange,
  settings: RestSettings,
): Promise<void> {
  const { request, response, route } = exchange;
  const contentType = route.answersRaw ? "" : requireAcceptable(request, streamTypes);
  const call = await prepare(exchange, settings, undefined);
  await sendStream(response, {
    open: () => route.invoker.serverStream(method, call),
    format: route.answersRaw
      ? rawBytes
      : (formats.find((each) => each.contentType === contentType) ?? serverSentEvents),
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
  const headers = headerFieldsOf(request, route, settings);
  const isRaw = route.body.kind === "raw";
  const rawBody = isRaw ? await readRawBody(request, settings.maxBodyBytes) : undefined;
  const body = isRaw ? undefined : await readJsonBody(request, settings.maxBodyBytes);
  const parts = { segments, rawQuery, body, rawBody, headers };
  return {
    request: decodeRequest(route, parts, settings.registry),
    header: forwardRequestHeaders(request.headers, settings.allowRequestHeader),
    signal,
    timeoutMs: timeoutMs && Math.min(timeoutMs, settings.maxTimeoutMs),
  };
}
