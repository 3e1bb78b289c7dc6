import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { systemWorld } from "@helix-zed/domain";
import * as grpc from "@grpc/grpc-js";
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus as Status,
  HealthCheckResponseSchema,
} from "@helix-zed/gen/health/v1/health_pb.ts";
import { describe, expect, test } from "vitest";
import { HealthState, type HealthCheck } from "./health.ts";
import { createLog } from "./log.ts";
import { failureOf, startTestServer, transports } from "./testing/test-server.ts";

const service = "helix.task.v1.TaskService";

describe.each(Object.entries(transports))("health over %s", (_name, transport) => {
  test("is SERVING for the server and for each service", async () => {
    await using server = await startTestServer({});
    const client = createClient(Health, transport(server.url));
    expect((await client.check({})).status).toBe(Status.SERVING);
    expect((await client.check({ service })).status).toBe(Status.SERVING);
  });

  test("is NOT_FOUND for a service that is not here", async () => {
    await using server = await startTestServer({});
    const error = await failureOf(createClient(Health, transport(server.url)).check({ service: "no.Such" }));
    expect(error.code).toBe(Code.NotFound);
  });

  test("lists the server and every service", async () => {
    await using server = await startTestServer({});
    const { statuses } = await createClient(Health, transport(server.url)).list({});
    expect(statuses).toMatchObject({ "": { status: Status.SERVING }, [service]: { status: Status.SERVING } });
  });

  test("is watched: first as it is, then at each change", async () => {
    let healthy = true;
    const check: HealthCheck = () => (healthy ? Promise.resolve() : Promise.reject(new Error("down")));
    await using server = await startTestServer({}, { checks: { database: check }, checkIntervalMs: 10 });
    const seen: Status[] = [];
    for await (const { status } of createClient(Health, transport(server.url)).watch({ service })) {
      seen.push(status);
      healthy = !healthy;
      if (seen.length === 4) break;
    }
    expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING, Status.SERVING, Status.NOT_SERVING]);
  });

  test("is watched for a service that is not here: it may come", async () => {
    await using server = await startTestServer({});
    for await (const { status } of createClient(Health, transport(server.url)).watch({ service: "no.Such" })) {
      expect(status).toBe(Status.SERVICE_UNKNOWN);
      break;
    }
  });
});

describe("health", () => {
  test("is what a grpc-js client asks for", async () => {
    await using server = await startTestServer({});
    const client = new grpc.Client(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
    const stream = client.makeServerStreamRequest(
      "/grpc.health.v1.Health/Watch",
      (name: string) =>
        Buffer.from(toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service: name }))),
      (bytes) => fromBinary(HealthCheckResponseSchema, bytes).status,
      service,
    );
    const status = await new Promise((resolve, reject) => stream.once("data", resolve).once("error", reject));
    expect(status).toBe(Status.SERVING);
    stream.on("error", () => {}).cancel();
    client.close();
  });

  test("is asked for with a GET where there is nothing but curl", async () => {
    await using server = await startTestServer({});
    const response = await fetch(`${server.url}/grpc.health.v1.Health/Check`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect(await response.json()).toEqual({ status: "SERVING" });
  });

  test("is NOT_SERVING while a check fails or hangs, and says which in the log, once", async () => {
    const lines: Record<string, unknown>[] = [];
    const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
    const checks = {
      well: () => Promise.resolve(),
      broken: () => Promise.reject(new Error("connection refused")),
      hanging: () => new Promise(() => {}),
    };
    const world = systemWorld();
    const log = createLog({ name: "test", level: "info", destination });
    const health = new HealthState({ services: [], checks, log, world, checkIntervalMs: 10 });
    await health.start();
    expect(health.statusOf("")).toBe(Status.NOT_SERVING);
    // Some rounds more.
    await world.sleep(100);
    health.drain();
    expect(lines.map(({ check, msg }) => [check, msg])).toEqual([
      ["broken", "a health check fails"],
      ["hanging", "a health check fails"],
    ]);
  });

  test("once drained never comes back", async () => {
    const world = systemWorld();
    const log = createLog({ name: "test", level: "silent" });
    const health = new HealthState({ services: [], checks: {}, log, world, checkIntervalMs: 5 });
    await health.start();
    health.drain();
    await world.sleep(20);
    expect(health.statusOf("")).toBe(Status.NOT_SERVING);
    await health.serving();
  });
});
