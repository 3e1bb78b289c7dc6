// What the short path serves, it serves as Connect's own handlers do. So every call here is made twice, to a server with
// the short path and to one without, and everything that comes back is compared: status, headers, body, trailers, and the
// line in the log.
import { gzipSync } from "node:zlib";
import { create, type DescMessage, type MessageInitShape, toBinary, toJsonString } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { Refusal } from "@helix-zed/domain";
import { ErrorInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import {
  GetTaskRequestSchema,
  type TaskService,
  WatchTasksRequestSchema,
} from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Authenticate } from "../authenticate.ts";
import { overHttp1, overHttp2, type RawAnswer, type RawCall } from "../testing/raw-call.ts";
import { startTestServer, type TestServer } from "../testing/test-server.ts";

const unaryPath = "/helix.task.v1.TaskService/GetTask";
const streamPath = "/helix.task.v1.TaskService/WatchTasks";
const large = "größer ".repeat(3_000);

/** What handlers do when they are asked for something of this name. */
const acts: Readonly<Record<string, (context: HandlerContext) => string | Promise<string>>> = {
  fine: () => "fine",
  large: () => large,
  headers({ responseHeader, responseTrailer }) {
    responseHeader.set("x-first", "1");
    responseHeader.append("set-cookie", "a=1");
    responseHeader.append("set-cookie", "b=2");
    responseTrailer.set("x-last", "2");
    responseTrailer.set("x-last-bin", "AAA");
    return "headers";
  },
  context(context) {
    const { method, service, requestMethod, requestHeader, protocolName, url, signal } = context;
    const names = [...requestHeader].filter(([name]) => !["host", "connection"].includes(name));
    const { pathname } = new URL(url);
    const left = context.timeoutMs() ?? 0;
    const isSoon = left > 50_000 && left <= 60_000;
    const facts = [method.name, service.typeName, requestMethod, names, protocolName, pathname, signal.aborted, isSoon];
    return JSON.stringify([...facts, requestHeader.get("X-Mixed"), requestHeader.get("nothing")]);
  },
  refused() {
    throw new Refusal("TASK_NOT_FOUND", 'There is no task: "a" (é, 100 %).', { task: "a" });
  },
  broken() {
    throw new TypeError("password=hunter2");
  },
  metadata() {
    throw new ConnectError("no", Code.Aborted, { "x-why": "because", "content-type": "text/plain" }, [
      { desc: ErrorInfoSchema, value: { reason: "NO", domain: "x" } },
    ]);
  },
  rejected: () => Promise.reject(new Refusal("TASKS_TOO_MANY", "Too many.", {}, { retryAfterMs: 1_500 })),
  forever: () => new Promise(() => {}),
};

const tasks: Partial<ServiceImpl<typeof TaskService>> = {
  getTask: async ({ id }, context) => ({ task: { id, description: (await acts[id]?.(context)) ?? "" } }),
  async *watchTasks({ taskIds: [id = ""] }, context) {
    yield { resumeToken: (await acts[id]?.(context)) ?? "" };
    yield { resumeToken: "second" };
    await acts[id.replace("later-", "")]?.(context);
  },
  createTask: () => ({}),
};

interface Protocol {
  readonly contentType: string;
  readonly isEnveloped: boolean;
  readonly encode: (schema: DescMessage, message: MessageInitShape<DescMessage>) => Uint8Array;
  readonly isGrpc: boolean;
}

const binary: Protocol["encode"] = (schema, message) => toBinary(schema, create(schema, message));
const json: Protocol["encode"] = (schema, message) => Buffer.from(toJsonString(schema, create(schema, message)));

const unaryProtocols: Readonly<Record<string, Protocol>> = {
  gRPC: { contentType: "application/grpc", isEnveloped: true, encode: binary, isGrpc: true },
  "gRPC+proto": { contentType: "application/grpc+proto", isEnveloped: true, encode: binary, isGrpc: true },
  "gRPC+JSON": { contentType: "application/grpc+json", isEnveloped: true, encode: json, isGrpc: true },
  "Connect, binary": { contentType: "application/proto", isEnveloped: false, encode: binary, isGrpc: false },
  "Connect, JSON": { contentType: "application/json", isEnveloped: false, encode: json, isGrpc: false },
  "Connect, JSON with charset": {
    contentType: "application/json; charset=utf-8",
    isEnveloped: false,
    encode: json,
    isGrpc: false,
  },
};

const streamProtocols: Readonly<Record<string, Protocol>> = {
  gRPC: { contentType: "application/grpc", isEnveloped: true, encode: binary, isGrpc: true },
  "gRPC+JSON": { contentType: "application/grpc+json", isEnveloped: true, encode: json, isGrpc: true },
  "Connect, binary": { contentType: "application/connect+proto", isEnveloped: true, encode: binary, isGrpc: false },
  "Connect, JSON": { contentType: "application/connect+json", isEnveloped: true, encode: json, isGrpc: false },
};

function enveloped(bytes: Uint8Array, flags = 0, length = bytes.length): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, bytes]);
}

type Asked = Pick<RawCall, "path" | "body">;

function ask(protocol: Protocol, isStream: boolean, name: string): Asked {
  const { encode, isEnveloped } = protocol;
  const bytes = isStream
    ? encode(WatchTasksRequestSchema, { taskIds: [name] })
    : encode(GetTaskRequestSchema, { id: name });
  return { path: isStream ? streamPath : unaryPath, body: isEnveloped ? enveloped(bytes) : bytes };
}

function headersFor({ contentType, isGrpc }: Protocol, more: Record<string, string> = {}): Record<string, string> {
  const common = { "content-type": contentType, "x-request-id": "r-1", authorization: "Bearer ada" };
  return { ...common, ...(isGrpc ? { te: "trailers" } : { "connect-protocol-version": "1" }), ...more };
}

/** Headers by which a caller says what it compresses and takes. */
function compression({ isGrpc }: Protocol, isStream: boolean, sent: string | null, taken: string) {
  const prefix = isGrpc ? "grpc-" : isStream ? "connect-" : "";
  const encoding = isGrpc ? "grpc-encoding" : isStream ? "connect-content-encoding" : "content-encoding";
  return { [`${prefix}accept-encoding`]: taken, ...(sent === null ? {} : { [encoding]: sent }) };
}

/** Everything that can be asked of one protocol, by what it is. */
function callsOf(protocol: Protocol, isStream: boolean): [name: string, call: RawCall][] {
  const { isEnveloped, isGrpc } = protocol;
  const usual = headersFor(protocol);
  const timeout = (value: string, grpc: string): Record<string, string> =>
    isGrpc ? { "grpc-timeout": grpc } : { "connect-timeout-ms": value };
  const simple = Object.keys(acts)
    .filter((name) => name !== "forever")
    .map((name): [string, RawCall] => [name, { ...ask(protocol, isStream, name), headers: usual }]);
  const fine = ask(protocol, isStream, "fine");
  const later = isStream ? ["later-refused", "later-broken", "later-metadata", "later-headers"] : [];
  const context = { ...timeout("60000", "60S"), "x-mixed": "Ä", cookie: "a=1" };
  const gzip = (sent: string | null, taken: string): Record<string, string> => ({
    ...usual,
    ...compression(protocol, isStream, sent, taken),
  });
  const [flags, ...rest] = fine.body;
  const small = isEnveloped ? enveloped(gzipSync(Buffer.from(rest.slice(4))), 1) : gzipSync(fine.body);
  const bodies: [string, Uint8Array][] = isEnveloped
    ? [
        ["no message", Buffer.alloc(0)],
        ["half of an envelope's head", Buffer.from([0, 0, 0])],
        ["half of a message", enveloped(Buffer.from([1]), 0, 10)],
        ["two messages", Buffer.concat([fine.body, fine.body])],
        ["a message and a half", Buffer.concat([fine.body, Buffer.from([0, 0])])],
        ["an end of stream behind the message", Buffer.concat([fine.body, enveloped(Buffer.from("{}"), 2)])],
        ["an unknown flag", Buffer.from([4 + (flags ?? 0), ...rest])],
        ["a length beyond the limit", enveloped(Buffer.from([1]), 0, 5_000_000)],
        ["a compressed message without an encoding", enveloped(gzipSync("x"), 1)],
        ["nonsense", enveloped(Buffer.alloc(9, 0xff))],
      ]
    : [
        ["no message", Buffer.alloc(0)],
        ["nonsense", Buffer.alloc(9, 0xff)],
        ["an unknown field", Buffer.from('{"nmae":"a"}')],
      ];
  return [
    ...simple,
    ["context", { ...ask(protocol, isStream, "context"), headers: { ...usual, ...context } }],
    ...later.map((name): [string, RawCall] => [name, { ...ask(protocol, isStream, name), headers: usual }]),
    ["an invalid request", { ...ask(protocol, isStream, "x".repeat(5_000)), headers: usual }],
    ["no deadline that can be read", { ...fine, headers: { ...usual, ...timeout("soon", "soon") } }],
    ["a deadline beyond a day", { ...fine, headers: { ...usual, ...timeout("90000000", "99H") } }],
    ["a deadline that has passed", { ...fine, headers: { ...usual, ...timeout("0", "0n") } }],
    [
      "a deadline that passes",
      { ...ask(protocol, isStream, "forever"), headers: { ...usual, ...timeout("60", "60m") } },
    ],
    ["gzip taken", { ...ask(protocol, isStream, "large"), headers: gzip(null, "br, gzip") }],
    ["gzip taken where it is not worth it", { ...fine, headers: gzip(null, "gzip") }],
    ["gzip sent", { ...fine, body: small, headers: gzip("gzip", "identity") }],
    ["gzip said and not sent", { ...fine, headers: gzip("gzip", "gzip") }],
    ["an unknown encoding", { ...fine, headers: gzip("snappy", "gzip") }],
    ["no token", { ...fine, headers: { ...usual, authorization: "" } }],
    ["a wrong HTTP method", { ...fine, verb: "PUT", headers: usual }],
    ["a wrong content type", { ...fine, headers: { ...usual, "content-type": "text/plain" } }],
    ["a query", { ...fine, path: `${fine.path}?a=1`, headers: usual }],
    ...bodies.map(([name, body]): [string, RawCall] => [name, { ...fine, body, headers: usual }]),
  ];
}

const every = [
  ...Object.entries(unaryProtocols).flatMap(([name, protocol]) =>
    callsOf(protocol, false).map(([what, call]) => [`${name}, a call`, what, call] as const),
  ),
  ...Object.entries(streamProtocols).flatMap(([name, protocol]) =>
    callsOf(protocol, true).map(([what, call]) => [`${name}, a stream`, what, call] as const),
  ),
];

let short: TestServer;
let stock: TestServer;

const authenticate: Authenticate = (headers) => {
  if ((headers.get("authorization") ?? "") === "") throw new Refusal("TOKEN_MISSING", "This call needs a token.");
  return { actor: { kind: "user", userId: "ada" } };
};

beforeAll(async () => {
  short = await startTestServer(tasks, { authenticate });
  stock = await startTestServer(tasks, { authenticate, shortPath: false });
});

afterAll(async () => {
  await Promise.all([short, stock].map((server) => server.close({ graceMs: 200 })));
});

/** The lines of the log that came since, without what differs from call to call. */
function linesSince({ lines }: TestServer, count: number): unknown[] {
  return lines.slice(count).map(({ time: _time, pid: _pid, durationMs: _durationMs, err, ...line }) => ({
    ...line,
    err: typeof err === "object" && err !== null && "message" in err ? err.message : err,
  }));
}

async function ofBoth(make: (server: TestServer) => Promise<RawAnswer>): Promise<unknown[]> {
  const outcomes = [short, stock].map(async (server) => {
    const before = server.lines.length;
    const answer = await make(server);
    // What is no call at all leaves no line.
    const isCall = answer.status !== 405 && answer.status !== 415;
    await expect.poll(() => linesSince(server, before).length > 0 || !isCall).toBe(true);
    return { answer, lines: linesSince(server, before) };
  });
  return Promise.all(outcomes);
}

describe("the short path answers as Connect's own handlers do", () => {
  test.each(every)("over HTTP/2: %s: %s", async (_protocol, _what, call) => {
    const [ofShort, ofStock] = await ofBoth((server) => overHttp2(server, call));
    expect(ofShort).toEqual(ofStock);
  });

  test.each(every.filter(([protocol]) => protocol.startsWith("Connect")))(
    "over HTTP/1.1: %s: %s",
    async (_protocol, _what, call) => {
      const [ofShort, ofStock] = await ofBoth((server) => overHttp1(server, call));
      expect(ofShort).toEqual(ofStock);
    },
  );
});
