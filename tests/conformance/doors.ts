// The doors of the system, each with an independent client: @grpc/grpc-js, Connect over HTTP/1.1, gRPC-Web, and plain
// HTTP with JSON. What a call gives is brought to one form, so that the answers can be compared.

import {
  create,
  type DescMethodUnary,
  fromBinary,
  type JsonValue,
  type Message,
  type MessageInitShape,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import * as grpc from "@grpc/grpc-js";
import { BadRequestSchema, ErrorInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "@helix-zed/gen/google/rpc/status_pb.ts";
import type { Cluster } from "@helix-zed/harness/cluster.ts";
import { type Json, RestClient } from "@helix-zed/harness/rest-client.ts";

/** What every door must agree on: the resource, or the failure. */
export type Outcome =
  | { readonly resource: JsonValue }
  | {
      readonly code: string;
      readonly message: string;
      readonly reason: string;
      readonly metadata: JsonValue;
      readonly violations: readonly string[];
    };

/** A call in the form of every door. */
export interface Call {
  readonly method: DescMethodUnary;
  readonly request: MessageInitShape<DescMethodUnary["input"]>;
  /** The same call over REST. */
  readonly rest: { readonly verb: string; readonly path: string; readonly body?: unknown };
  /** The field of the response that REST returns bare. */
  readonly bare?: string;
}

/** One way into the system. */
export interface Door {
  readonly name: string;
  readonly call: (call: Call, token: string | undefined) => Promise<Outcome>;
}

/** All doors to task-service. */
export function doorsOf({ taskUrl, gatewayUrl }: Cluster): Door[] {
  return [
    grpcDoor("gRPC", taskUrl),
    transportDoor("Connect with binary messages over HTTP/1.1", overHttp1(taskUrl, true)),
    transportDoor("Connect with JSON over HTTP/1.1, through the gateway", overHttp1(gatewayUrl, false)),
    transportDoor("gRPC-Web", createGrpcWebTransport({ baseUrl: taskUrl })),
    transportDoor("gRPC-Web, through the gateway", createGrpcWebTransport({ baseUrl: gatewayUrl })),
    restDoor("REST", gatewayUrl),
  ];
}

function overHttp1(baseUrl: string, useBinaryFormat: boolean): Transport {
  return createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat });
}

function grpcDoor(name: string, url: string): Door {
  const call: Door["call"] = ({ method, request, bare }, token) => {
    const client = new grpc.Client(new URL(url).host, grpc.credentials.createInsecure());
    const metadata = new grpc.Metadata();
    if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    client.makeUnaryRequest(
      `/${method.parent.typeName}/${method.name}`,
      (message: Message) => Buffer.from(toBinary(method.input, message)),
      (bytes) => fromBinary(method.output, bytes),
      create(method.input, request),
      metadata,
      (error, answer) => resolve(error === null ? ofMessage(method, answer, bare) : ofServiceError(error)),
    );
    return promise.finally(() => client.close());
  };
  return { name, call };
}

function transportDoor(name: string, transport: Transport): Door {
  const call: Door["call"] = async ({ method, request, bare }, token) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    try {
      const { message } = await transport.unary(method, undefined, undefined, headers, request);
      return ofMessage(method, message, bare);
    } catch (error) {
      return ofConnectError(ConnectError.from(error));
    }
  };
  return { name, call };
}

function restDoor(name: string, url: string): Door {
  const call: Door["call"] = async ({ rest: { verb, path, body } }, token) => {
    const answer = await new RestClient(url, token).send(
      verb,
      path,
      body === undefined ? undefined : JSON.stringify(body),
    );
    return answer.status === 200 ? { resource: withoutDefaults(answer.body) } : ofRestError(answer.body["error"]);
  };
  return { name, call };
}

function ofMessage(method: DescMethodUnary, message: Message | undefined, bare: string | undefined): Outcome {
  if (message === undefined) throw new Error("A call without an error gave no message.");
  const json = withoutDefaults(storedNames(toJson(method.output, message)));
  if (bare === undefined || typeof json !== "object" || json === null || Array.isArray(json)) return { resource: json };
  return { resource: json[bare] ?? {} };
}

function ofServiceError({ code, metadata }: grpc.ServiceError): Outcome {
  const [packed] = metadata.get("grpc-status-details-bin");
  const status = packed instanceof Buffer ? fromBinary(StatusSchema, packed) : create(StatusSchema);
  const info = status.details.map((detail) => anyUnpack(detail, ErrorInfoSchema)).find((found) => found !== undefined);
  const bad = status.details.map((detail) => anyUnpack(detail, BadRequestSchema)).find((found) => found !== undefined);
  return {
    code: wireName(grpc.status[code] ?? ""),
    message: status.message,
    reason: info?.reason ?? "",
    metadata: info?.metadata ?? {},
    violations: violationsOf(bad?.fieldViolations ?? []),
  };
}

function ofConnectError(error: ConnectError): Outcome {
  const info = error.findDetails(ErrorInfoSchema)[0];
  return {
    code: wireName(Code[error.code] ?? ""),
    message: error.rawMessage,
    reason: info?.reason ?? "",
    metadata: info?.metadata ?? {},
    violations: violationsOf(error.findDetails(BadRequestSchema)[0]?.fieldViolations ?? []),
  };
}

function ofRestError(error: Json): Outcome {
  const details: Json[] = error["details"] ?? [];
  const find = (type: string): Json | undefined => details.find((detail) => String(detail["@type"]).endsWith(type));
  const info = find("google.rpc.ErrorInfo");
  return {
    code: wireName(error["status"]),
    message: error["message"],
    reason: info?.["reason"] ?? "",
    metadata: info?.["metadata"] ?? {},
    violations: violationsOf(find("google.rpc.BadRequest")?.["fieldViolations"] ?? []),
  };
}

function violationsOf(violations: readonly { readonly field: string; readonly description: string }[]): string[] {
  return violations.map(({ field, description }) => `${field}: ${description}`);
}

/** NOT_FOUND, NotFound and not_found are one code. */
function wireName(code: string): string {
  return code.replaceAll("_", "").toUpperCase();
}

const ENUM_PREFIX =
  /^(TASK_TYPE|TASK_STATUS|TASK_ACTION|WORK_SESSION_STATUS|WORK_SESSION_ACTION|ON_TURN_END)_(?=[A-Z])/;

/** ProtoJSON in the spelling that the database has: an independent reading of the rule that REST follows. */
function storedNames(value: JsonValue): JsonValue {
  if (typeof value === "string" && ENUM_PREFIX.test(value)) return value.replace(ENUM_PREFIX, "").toLowerCase();
  if (Array.isArray(value)) return value.map(storedNames);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [snake(name), storedNames(member)]));
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Without members that say nothing: whether a default is written out is each format's own choice. */
function withoutDefaults(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, withoutDefaults(member)] as const);
  return Object.fromEntries(members.filter(([, member]) => !isDefault(member)));
}

function isDefault(value: JsonValue): boolean {
  return value === null || value === "" || value === 0 || value === "0" || value === false || isEmptyArray(value);
}

function isEmptyArray(value: JsonValue): boolean {
  return Array.isArray(value) && value.length === 0;
}
