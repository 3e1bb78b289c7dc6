import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import * as net from "node:net";
import { text } from "node:stream/consumers";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { afterEach, describe, expect, test } from "vitest";
import { startTestServer } from "./testing/test-server.ts";

const main = new URL("./testing/test-service.ts", import.meta.url);
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

interface Exit {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the service of `testing/test-service.ts` in a process of its own. */
function launch(environment: Record<string, string> = {}): { child: ChildProcess; exit: Promise<Exit> } {
  const env = { PATH: process.env["PATH"], HELIX_ZED_PORT: "0", ...environment };
  const child = fork(main, { silent: true, env, execArgv: [] });
  children.push(child);
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("The child has no pipes.");
  const exit = Promise.all([once(child, "exit"), text(stdout), text(stderr)]).then(([[code], out, err]) => ({
    code,
    stdout: out,
    stderr: err,
  }));
  return { child, exit };
}

/** Resolves with the port once the ready line is there. */
async function ready(child: ChildProcess): Promise<number> {
  const [line]: string[] = await once(child.stdout?.setEncoding("utf8") ?? child, "data");
  const { ready: name, port } = JSON.parse(line ?? "");
  expect(name).toBe("test-service");
  return port;
}

function clientOf(port: number) {
  return createClient(TaskService, createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` }));
}

describe("a service process", () => {
  test("says in one line on stdout that it is ready, and nothing more", async () => {
    const { child, exit } = launch();
    const port = await ready(child);
    expect((await clientOf(port).getTask({ id: "tsk_1" })).task?.id).toBe("tsk_1");
    child.kill("SIGTERM");
    const { stdout, stderr } = await exit;
    expect(stdout).toBe(`${JSON.stringify({ ready: "test-service", port })}\n`);
    for (const line of stderr.trim().split("\n")) expect(JSON.parse(line)).toMatchObject({ name: "test-service" });
  });

  test.each(["SIGTERM", "SIGINT"] as const)(
    "on %s ends its watches, finishes its calls, closes its parts and exits 0",
    async (signal) => {
      const { child, exit } = launch();
      const client = clientOf(await ready(child));
      const watch = client.watchTasks({})[Symbol.asyncIterator]();
      await watch.next();
      const watched = watch.next().catch((error: unknown) => ConnectError.from(error).code);
      const slow = client.getTask({ id: "slow" });
      // The watch shows that the server has work; the slow call says so by its second message.
      await expect.poll(() => client.listTasks({}).then(({ nextPageToken }) => nextPageToken)).toBe("1");
      child.kill(signal);
      child.kill(signal);
      expect(await watched).toBe(Code.Unavailable);
      expect((await slow).task?.id).toBe("slow");
      const { code, stderr } = await exit;
      expect(code).toBe(0);
      const messages = stderr
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).msg);
      expect(messages.filter((msg) => msg !== "call")).toEqual([
        "started",
        "stopping",
        "draining",
        "closed",
        "stopped",
      ]);
    },
  );

  test("stops when the process that started it is gone", async () => {
    const { child, exit } = launch();
    await ready(child);
    child.disconnect();
    expect((await exit).code).toBe(0);
  });

  test("reports all problems of its settings in one plain line and exits 1", async () => {
    const { exit } = launch({ HELIX_ZED_PORT: "http", HELIX_ZED_LOG_LEVELL: "debug", HELIX_ZED_LOG_LEVEL: "loud" });
    const { code, stdout, stderr } = await exit;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      "test-service cannot start: HELIX_ZED_LOG_LEVELL is not a setting of this service: did you mean HELIX_ZED_LOG_LEVEL?; " +
        'HELIX_ZED_PORT must be a whole number from 0 to 65535, not "http"; ' +
        'HELIX_ZED_LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent, not "loud"\n',
    );
  });

  test("says in one plain line that its port is taken and exits 1", async () => {
    await using other = await startTestServer({});
    const { code, stderr } = await launch({ HELIX_ZED_PORT: String(other.port) }).exit;
    expect(code).toBe(1);
    expect(stderr).toBe(
      `test-service cannot start: Port ${other.port} on 127.0.0.1 is in use by another process. Stop it or choose another port.\n`,
    );
  });

  test("says in one plain line what kept it from being built and exits 1", async () => {
    const { code, stderr } = await launch({ HELIX_ZED_FAILURE: "build" }).exit;
    expect(code).toBe(1);
    expect(stderr).toBe("test-service cannot start: The database cannot be reached. Start it.\n");
  });

  test.each(["rejection", "exception"])("logs an unhandled %s and exits 1", async (failure) => {
    const { code, stderr } = await launch({ HELIX_ZED_FAILURE: failure }).exit;
    expect(code).toBe(1);
    const last = JSON.parse(stderr.trim().split("\n").at(-1) ?? "");
    expect(last).toMatchObject({ level: 60, msg: "unhandled failure", err: { message: "nobody handles this" } });
  });

  test("is ready only when it is healthy", async () => {
    const port = await freePort();
    const { child } = launch({ HELIX_ZED_NEEDS_PORT: String(port) });
    let isReady = false;
    const line = ready(child).then(() => (isReady = true));
    const needed = net.createServer((socket) => {
      // The first look finds it, so the service was waiting until now.
      expect(isReady).toBe(false);
      socket.end();
    });
    await once(needed.listen(port, "127.0.0.1"), "listening");
    await line;
    needed.close();
  });
});

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
