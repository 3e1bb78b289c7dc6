import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { RetryInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { describe, expect, test } from "vitest";
import { type Client, clientOver } from "./client.ts";
import { retry } from "./retry.ts";

interface Trial {
  readonly client: Client;
  readonly requestIds: string[];
  readonly pauses: number[];
  calls: number;
}

/** A client of a service whose first `failures.length` calls fail with these. */
function clientOfFailing(failures: readonly ConnectError[]): Trial {
  const pauses: number[] = [];
  const clock = { sleep: async (ms: number) => void pauses.push(ms), random: () => 1 };
  const interceptors = [retry({ clock, attemptsMax: 4 })];
  const trial: Omit<Trial, "client"> = { requestIds: [], pauses, calls: 0 };
  const answer = (): object => {
    const failure = failures[trial.calls++];
    if (failure !== undefined) throw failure;
    return {};
  };
  const service = {
    getTask: answer,
    updateTaskStatus: answer,
    createTask: ({ requestId }: { requestId: string }) => {
      trial.requestIds.push(requestId);
      return answer();
    },
  };
  const transport = createRouterTransport((router) => router.service(TaskService, service), {
    transport: { interceptors },
  });
  return Object.assign(trial, { client: clientOver(transport) });
}

function failed(code: Code, retryAfterMs?: number): ConnectError {
  const error = new ConnectError("not now", code);
  if (retryAfterMs === undefined) return error;
  const value = create(RetryInfoSchema, { retryDelay: durationFromMs(retryAfterMs) });
  error.details.push({ desc: RetryInfoSchema, value });
  return error;
}

describe("a call", () => {
  test("that only reads is made again while the service is out of reach, each time later", async () => {
    const trial = clientOfFailing([failed(Code.Unavailable), failed(Code.Unavailable)]);
    await trial.client.tasks.getTask({ id: "tsk_1" });
    expect(trial.pauses).toEqual([100, 200]);
  });

  test("that creates is made again under one request id, which it was given if it had none", async () => {
    const trial = clientOfFailing([failed(Code.Unavailable)]);
    await trial.client.tasks.createTask({ name: "Once" });
    expect(trial.requestIds).toEqual([expect.stringMatching(/^[\da-f-]{36}$/), trial.requestIds[0]]);
  });

  test("keeps the request id that its caller gave", async () => {
    const requestId = "7f8c2f6e-3a52-4a46-9d3e-0d6f2b8f0a11";
    const trial = clientOfFailing([]);
    await trial.client.tasks.createTask({ name: "Once", requestId });
    expect(trial.requestIds).toEqual([requestId]);
  });

  test("that changes something and has no request id is never made twice", async () => {
    const trial = clientOfFailing([failed(Code.Unavailable)]);
    await expect(trial.client.tasks.updateTaskStatus({ id: "tsk_1" })).rejects.toMatchObject({
      code: Code.Unavailable,
    });
    expect(trial.calls).toBe(1);
  });

  test("is made again after the time that the server asks for", async () => {
    const trial = clientOfFailing([failed(Code.ResourceExhausted, 3_000)]);
    await trial.client.tasks.getTask({ id: "tsk_1" });
    expect(trial.pauses).toEqual([3_000]);
  });

  test.each([Code.NotFound, Code.InvalidArgument, Code.ResourceExhausted, Code.Internal, Code.DeadlineExceeded])(
    "is not made again after %s, which would be the same",
    async (code) => {
      const trial = clientOfFailing([failed(code)]);
      await expect(trial.client.tasks.getTask({ id: "tsk_1" })).rejects.toMatchObject({ code });
      expect(trial.calls).toBe(1);
    },
  );

  test("gives up after as many tries as it was told", async () => {
    const trial = clientOfFailing(Array.from({ length: 9 }, () => failed(Code.Unavailable)));
    await expect(trial.client.tasks.getTask({ id: "tsk_1" })).rejects.toMatchObject({ code: Code.Unavailable });
    expect(trial.calls).toBe(4);
  });
});
