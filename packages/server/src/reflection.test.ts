import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ServerReflection } from "@helix-zed/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "@helix-zed/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { describe, expect, test } from "vitest";
import { collect, startTestServer } from "./testing/test-server.ts";

const run = promisify(execFile);
const buf = fileURLToPath(new URL("../../../node_modules/.bin/buf", import.meta.url));

interface Question {
  readonly case: string;
  readonly value: unknown;
}

/** Asks in one stream and gives each answer. */
async function ask(url: string, ...questions: Question[]): Promise<unknown[]> {
  const client = createClient(ServerReflection, createGrpcTransport({ baseUrl: url }));
  async function* requests(): AsyncIterable<never> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each test asks what the protocol allows
    for (const messageRequest of questions) yield { messageRequest } as never;
  }
  const answers = await collect(client.serverReflectionInfo(requests()));
  return answers.map(({ messageResponse }) => messageResponse);
}

async function* only<T>(message: T): AsyncIterable<T> {
  yield message;
}

/** The names of the files in an answer. */
function filesIn(answer: unknown): string[] {
  expect(answer).toMatchObject({ case: "fileDescriptorResponse" });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just checked
  const { value } = answer as { value: { fileDescriptorProto: Uint8Array[] } };
  return value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
}

function symbol(value: string): Question {
  return { case: "fileContainingSymbol", value };
}

describe("reflection", () => {
  test.each(["v1", "v1alpha"])("lets buf curl list the methods and call one (%s)", async (version) => {
    await using server = await startTestServer({ getTask: ({ id }) => ({ task: { id } }) });
    const reflect = ["curl", "--protocol", "grpc", "--http2-prior-knowledge", "--reflect-protocol", `grpc-${version}`];
    const { stdout: methods } = await run(buf, [...reflect, "--list-methods", server.url]);
    expect(methods.split("\n")).toEqual(
      expect.arrayContaining([
        "grpc.health.v1.Health/Check",
        "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        "helix.task.v1.TaskService/GetTask",
      ]),
    );
    const url = `${server.url}/helix.task.v1.TaskService/GetTask`;
    const { stdout } = await run(buf, [...reflect, "-d", '{"id":"tsk_1"}', url]);
    expect(JSON.parse(stdout)).toEqual({ task: { id: "tsk_1" } });
  });

  test("needs no token", async () => {
    await using server = await startTestServer({}, { authenticate: () => Promise.reject(new Error("was asked")) });
    const [answer] = await ask(server.url, { case: "listServices", value: "*" });
    expect(answer).toMatchObject({ case: "listServicesResponse" });
  });

  test("sends a file with all that it imports: enough to build it", async () => {
    await using server = await startTestServer({});
    const client = createClient(ServerReflectionAlpha, createGrpcTransport({ baseUrl: server.url }));
    const messageRequest = { case: "fileContainingSymbol", value: "helix.task.v1.TaskService" } as const;
    const [answer] = await collect(client.serverReflectionInfo(only({ messageRequest })));
    const response = answer?.messageResponse;
    const bytes = response?.case === "fileDescriptorResponse" ? response.value.fileDescriptorProto : [];
    const file = bytes.map((each) => fromBinary(FileDescriptorProtoSchema, each));
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: file.toReversed() }));
    expect(registry.getService("helix.task.v1.TaskService")?.method["createTask"]?.input.typeName).toBe(
      "helix.task.v1.CreateTaskRequest",
    );
  });

  test("finds services, methods, messages, fields, enums, their values and extensions", async () => {
    await using server = await startTestServer({});
    const names = [
      "helix.task.v1.TaskService",
      "helix.task.v1.TaskService.GetTask",
      "helix.task.v1.CreateTaskRequest",
      "helix.task.v1.CreateTaskRequest.name",
      "helix.task.v1.TaskStatus",
      "google.api.http",
    ];
    const files = await Promise.all(names.map(async (name) => filesIn((await ask(server.url, symbol(name)))[0])[0]));
    expect(files).toEqual([
      "helix/task/v1/task_service.proto",
      "helix/task/v1/task_service.proto",
      "helix/task/v1/task_service.proto",
      "helix/task/v1/task_service.proto",
      "helix/task/v1/task.proto",
      "google/api/annotations.proto",
    ]);
  });

  test("finds files by name and extensions by number", async () => {
    await using server = await startTestServer({});
    const options = "google.protobuf.MethodOptions";
    const [byName, byNumber, numbers] = await ask(
      server.url,
      { case: "fileByFilename", value: "google/api/http.proto" },
      { case: "fileContainingExtension", value: { containingType: options, extensionNumber: 72_295_728 } },
      { case: "allExtensionNumbersOfType", value: options },
    );
    expect(filesIn(byName)).toEqual(["google/api/http.proto"]);
    expect(filesIn(byNumber)[0]).toBe("google/api/annotations.proto");
    expect(numbers).toMatchObject({
      case: "allExtensionNumbersResponse",
      value: { baseTypeName: options, extensionNumber: [72_295_728] },
    });
  });

  test("sends each import once a stream", async () => {
    await using server = await startTestServer({});
    const [first, second] = await ask(server.url, symbol("helix.task.v1.TaskService"), symbol("helix.task.v1.Task"));
    expect(filesIn(first).length).toBeGreaterThan(5);
    expect(filesIn(second)).toEqual(["helix/task/v1/task.proto"]);
  });

  test("answers what it does not know and goes on", async () => {
    await using server = await startTestServer({});
    const answers = await ask(
      server.url,
      symbol("no.Such"),
      symbol(""),
      symbol("helix.task.v1.TaskService.NoSuchMethod"),
      { case: "fileByFilename", value: "no/such.proto" },
      { case: "allExtensionNumbersOfType", value: "no.Such" },
      { case: "listServices", value: "" },
    );
    const unknown = { case: "errorResponse", value: { errorCode: 5 } };
    expect(answers).toMatchObject([unknown, unknown, unknown, unknown, unknown, { case: "listServicesResponse" }]);
  });
});
