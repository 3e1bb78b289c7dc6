// The smallest service: what the tests of run-service.ts run in a process of its own.
import { once } from "node:events";
import * as net from "node:net";
import { setTimeout } from "node:timers/promises";
import type { ServiceImpl } from "@connectrpc/connect";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { optional } from "../environment.ts";
import { choice, port } from "../parsers.ts";
import { runService } from "../run-service.ts";
import { serviceSettings } from "../service-settings.ts";

let slowCalls = 0;

const tasks: Partial<ServiceImpl<typeof TaskService>> = {
  async getTask({ id }) {
    if (id === "slow") {
      slowCalls++;
      await setTimeout(500);
    }
    return { task: { id } };
  },
  listTasks: () => ({ nextPageToken: String(slowCalls) }),
  async *watchTasks(_request, { signal }) {
    yield { resumeToken: "1" };
    await once(signal, "abort");
  },
};

async function reach(needed: number): Promise<void> {
  const socket = net.connect(needed, "127.0.0.1");
  await once(socket, "connect");
  socket.destroy();
}

await runService({
  name: "test-service",
  settings: {
    ...serviceSettings(0),
    failure: optional("HELIX_ZED_FAILURE", choice("build", "rejection", "exception")),
    neededPort: optional("HELIX_ZED_NEEDS_PORT", port()),
  },
  build({ failure, neededPort }, { log }) {
    if (failure === "build") throw new Error("The database cannot be reached.\n  Start it.");
    return {
      routes: (router) => router.service(TaskService, tasks),
      authenticate: () => ({ actor: { kind: "user", userId: "ada" } }),
      codes: {},
      checks: neededPort === null ? {} : { needed: () => reach(neededPort) },
      checkIntervalMs: 50,
      started() {
        log.info("started");
        if (failure === "rejection") void Promise.reject(new Error("nobody handles this"));
        if (failure === "exception") queueMicrotask(fail);
      },
      draining: () => log.info("draining"),
      stopped: () => log.info("closed"),
    };
  },
});

function fail(): never {
  throw new Error("nobody handles this");
}
