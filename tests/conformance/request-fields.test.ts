// What requests may carry, read from the descriptors: so it holds for every RPC that there will be.

import { type DescField, type DescMessage, type DescMethod, type DescService, getOption } from "@bufbuild/protobuf";
import { field_behavior, FieldBehavior } from "@helix-zed/gen/google/api/field_behavior_pb.ts";
import { RunnerService } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";

const services: readonly DescService[] = [TaskService, WorkSessionService, RunnerService];
const methods = services.flatMap((service) => service.methods);

/** The RPCs that exist to change a status. */
const STATUS_METHODS = ["UpdateTaskStatus", "UpdateWorkSessionStatus"];

/** All fields of a message and of the messages within it, each with the path to it. */
function fieldsWithin(message: DescMessage, path = "", above: readonly string[] = []): [string, DescField][] {
  if (above.includes(message.typeName) || message.typeName.startsWith("google.protobuf.")) return [];
  return message.fields.flatMap((field): [string, DescField][] => {
    const here = path === "" ? field.name : `${path}.${field.name}`;
    const inner = field.message === undefined ? [] : fieldsWithin(field.message, here, [...above, message.typeName]);
    return [[here, field], ...inner];
  });
}

function settable(wanted: (field: DescField, path: string) => boolean, from = methods): string[] {
  return from.flatMap(({ name, input }) =>
    fieldsWithin(input)
      .filter(([path, field]) => wanted(field, path))
      .map(([path]) => `${name}.${path}`),
  );
}

function isRead(method: DescMethod): boolean {
  return method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
}

function has({ input }: DescMethod, name: string): boolean {
  return input.fields.some((field) => field.name === name);
}

/** Which of filter and order each of some RPCs takes. */
function askedOf(beginning: string): string[][] {
  const asked = methods.filter(({ name }) => name.startsWith(beginning));
  return asked.map((method) => ["filter", "order_by"].filter((name) => has(method, name)));
}

describe("the requests of all RPCs", () => {
  test("have no field that is for output only", () => {
    expect(settable((field) => getOption(field, field_behavior).includes(FieldBehavior.OUTPUT_ONLY))).toEqual([]);
  });

  test("have no status but those that ask for the next one", () => {
    const writing = methods.filter((method) => !isRead(method) && !STATUS_METHODS.includes(method.name));
    expect(
      settable(({ name, enum: type }) => /status|state/.test(`${name}${type?.typeName ?? ""}`.toLowerCase()), writing),
    ).toEqual([]);
  });

  test("have none of what a resource says of itself", () => {
    const own =
      /^(created_at|updated_at|started_at|completed_at|status_changed_at|user_id|organization_id|attempt|lease|available_actions)$/;
    expect(settable(({ name }) => own.test(name))).toEqual([]);
  });

  test("take an etag where they change what exists, and a request id where they create", () => {
    const writing = methods.filter((method) => !isRead(method));
    const creates = writing.filter(({ name }) => name.startsWith("Create"));
    // It changes no version: what it prolongs is no part of the resource's history.
    const changes = writing.filter((method) => !creates.includes(method) && method.name !== "RenewLeases");
    expect(changes.filter((method) => !has(method, "etag")).map(({ name }) => name)).toEqual([]);
    expect(creates.filter((method) => !has(method, "request_id")).map(({ name }) => name)).toEqual([]);
    expect([changes.length, creates.length]).toEqual([6, 2]);
  });

  test("of lists take a filter and an order, and of watches a filter", () => {
    expect(askedOf("List")).toEqual([
      ["filter", "order_by"],
      ["filter", "order_by"],
    ]);
    expect(askedOf("Watch")).toEqual([["filter"], ["filter"]]);
  });
});
