// The answer to a call, byte by byte, as it comes over the wire of each protocol. Clients hide what does not concern them;
// here nothing is hidden but the date and the id of the request.

import { create, type DescMethod, getOption, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import { http as httpRule } from "@helix-zed/gen/google/api/annotations_pb.ts";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:http2";

/** A call and who makes it. */
export interface RawCall {
  readonly method: DescMethod;
  readonly request: Record<string, unknown>;
  readonly headers: Readonly<Record<string, string>>;
}

/** Everything that came back: status and headers, body, trailers. */
export interface RawAnswer {
  readonly head: readonly string[];
  readonly body: string;
  readonly tail: readonly string[];
}

/** Makes the call in every way there is. REST is left out for RPCs that have no path. */
export async function rawAnswers(
  call: RawCall,
  { serviceUrl, gatewayUrl }: { readonly serviceUrl: string; readonly gatewayUrl: string },
): Promise<Readonly<Record<string, RawAnswer>>> {
  const { method, request } = call;
  const message = create(method.input, request);
  const binary = Buffer.from(toBinary(method.input, message));
  const json = Buffer.from(JSON.stringify(toJson(method.input, message)));
  const stream = method.methodKind === "unary" ? "" : "connect+";
  const connectBody = (bytes: Buffer): Buffer => (stream === "" ? bytes : enveloped(bytes));
  const rpc = (url: string, contentType: string, body: Buffer): Promise<RawAnswer> =>
    overHttp1(`${url}/${method.parent.typeName}/${method.name}`, { verb: "POST", contentType, body, call });
  return {
    gRPC: await overGrpc(serviceUrl, call, enveloped(binary)),
    "Connect, binary": await rpc(serviceUrl, `application/${stream}proto`, connectBody(binary)),
    "Connect, JSON": await rpc(serviceUrl, `application/${stream}json`, connectBody(json)),
    "gRPC-Web": await rpc(serviceUrl, "application/grpc-web+proto", enveloped(binary)),
    "Connect, JSON, through the gateway": await rpc(gatewayUrl, `application/${stream}json`, connectBody(json)),
    "gRPC-Web through the gateway": await rpc(gatewayUrl, "application/grpc-web+proto", enveloped(binary)),
    ...(await overRest(gatewayUrl, call, toJson(method.input, message))),
  };
}

function enveloped(bytes: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

interface HttpCall {
  readonly verb: string;
  readonly contentType: string;
  readonly body: Buffer;
  readonly call: RawCall;
}

async function overHttp1(url: string, { verb, contentType, body, call }: HttpCall): Promise<RawAnswer> {
  const sent = { "content-type": contentType, "connect-protocol-version": "1", accept: "*/*", ...call.headers };
  const request = httpRequest(url, { method: verb, agent: false, headers: { ...sent, "content-length": body.length } });
  request.end(body);
  const [response] = await once(request, "response");
  const head = [String(response.statusCode), ...pairs(response.rawHeaders)];
  return { head, body: await bodyOf(response), tail: pairs(response.rawTrailers) };
}

async function overGrpc(url: string, { method, headers }: RawCall, body: Buffer): Promise<RawAnswer> {
  const session = connect(url);
  try {
    const path = `/${method.parent.typeName}/${method.name}`;
    const grpc = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
    const request = session.request({ ...grpc, ...headers });
    const answered = once(request, "response");
    let tail: readonly string[] = [];
    request.once("trailers", (_trailers, _flags, raw: string[]) => (tail = pairs(raw)));
    request.end(body);
    const [, , raw] = await answered;
    const text = await bodyOf(request);
    return { head: pairs(raw ?? []), body: text, tail };
  } finally {
    session.destroy();
  }
}

/** The path comes from the contract, as the gateway's does. */
async function overRest(url: string, call: RawCall, json: JsonValue): Promise<Record<string, RawAnswer>> {
  const rule = getOption(call.method, httpRule);
  const { case: verb, value: template } = rule.pattern;
  if (verb === undefined || verb === "custom") return {};
  const fields = new Map(Object.entries(typeof json === "object" && json !== null ? json : {}));
  const path = template.replaceAll(/\{(\w+)\}/g, (_match, name: string) => {
    const field = name.replaceAll(/_([a-z])/g, (_underscore, letter: string) => letter.toUpperCase());
    const value = textOf(fields.get(field));
    fields.delete(field);
    return encodeURIComponent(value);
  });
  const query = new URLSearchParams();
  for (const [name, value] of fields) for (const each of [value].flat()) query.append(name, textOf(each));
  const hasBody = rule.body === "*";
  const body = Buffer.from(hasBody ? JSON.stringify(Object.fromEntries(fields)) : "");
  const place = hasBody || fields.size === 0 ? path : `${path}?${query.toString()}`;
  const http = { verb: verb.toUpperCase(), contentType: "application/json", body, call };
  return { REST: await overHttp1(url + place, http) };
}

/** All that the answers say, with what gRPC and Connect pack into base64 unpacked, and the ids put out of sight. */
export function withoutIds(
  answers: Readonly<Record<string, RawAnswer>>,
  ids: readonly string[],
): Record<string, string> {
  const hide = (text: string): string => ids.reduce((hidden, id) => hidden.replaceAll(id, "<id>"), text);
  const entries = Object.entries(answers).map(([door, { head, body, tail }]) => {
    const text = hide([...head, body, ...tail].join("\n"));
    return [door, hide(text.replaceAll(/[\w+/-]{24,}={0,2}/g, unpack))];
  });
  return Object.fromEntries(entries);
}

function unpack(run: string): string {
  return Buffer.from(run, "base64").toString("latin1");
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

async function bodyOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces).toString("latin1");
}

/** Raw headers come as names and values in turn. */
function pairs(raw: readonly string[]): string[] {
  const lines = raw.flatMap((name, index) => (index % 2 === 0 ? [`${name.toLowerCase()}: ${raw[index + 1]}`] : []));
  return lines.filter((line) => !/^(date|x-request-id):/.test(line));
}
