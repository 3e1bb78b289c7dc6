import { survivorsOf } from "@helix-zed/harness/survivors.ts";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";

// The real thing: PostgreSQL, the three services and the demo model, in a data folder of its own.

let dataFolder: string;

beforeEach(() => {
  dataFolder = realpathSync(mkdtempSync(path.join(tmpdir(), "helix zed start ")));
});

afterEach(() => {
  rmSync(dataFolder, { recursive: true, force: true });
});

/** `tools/start.ts` as a process, with all that it has printed so far. */
class Start {
  readonly #process;
  #output = "";
  readonly #ended: Promise<unknown>;

  constructor(environment: Readonly<Record<string, string>> = {}) {
    this.#process = spawn(process.execPath, [path.join(import.meta.dirname, "start.ts")], {
      env: { ...environmentOf(dataFolder), ...environment },
    });
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream.on("data", (chunk: Buffer) => (this.#output += chunk.toString()));
    this.#ended = once(this.#process, "close");
    onTestFinished(() => void this.#process.kill("SIGKILL"));
  }

  /** The address and the token on the first screen, once it is there. */
  async ready(): Promise<{ api: string; token: string }> {
    await expect.poll(() => this.#output, { timeout: 60_000 }).toMatch(/Read what the agent said|cannot start/);
    const api = /REST API\s+(\S+)/.exec(this.#output)?.[1];
    const token = /Token\s+(\S+)/.exec(this.#output)?.[1];
    if (api === undefined || token === undefined) throw new Error(this.#output);
    return { api, token };
  }

  /** Everything that it printed, once it has ended, and its exit code. */
  async end(signal?: NodeJS.Signals): Promise<{ code: number | null; output: string }> {
    if (signal !== undefined) this.#process.kill(signal);
    await this.#ended;
    return { code: this.#process.exitCode, output: this.#output };
  }
}

function environmentOf(folder: string): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    HELIX_ZED_DATA_DIR: folder,
    HELIX_ZED_GATEWAY_PORT: "0",
    HELIX_ZED_TASK_PORT: "0",
    HELIX_ZED_BRIDGE_PORT: "0",
  };
}

async function call({ api, token }: { api: string; token: string }, body?: object): Promise<unknown> {
  const response = await fetch(`${api}/tasks`, {
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  return response.json();
}

describe("npm start", () => {
  test("runs everything until it is stopped, leaves no process behind, and finds its data again", async () => {
    const first = new Start();
    const screen = await first.ready();
    // An agent type that nobody runs here: the task stays as it is.
    const task = { name: "Kept", task_type: "batch", work_sessions: [{ name: "One", agent_type: "simple" }] };
    expect(await call(screen, task)).toMatchObject({ name: "Kept", status: "pending" });
    expect(await new Start().end()).toMatchObject({
      code: 1,
      output: expect.stringMatching(/already running in .*\n$/),
    });
    expect(await first.end("SIGTERM")).toMatchObject({
      code: 0,
      output: expect.stringContaining("Everything has stopped"),
    });
    expect(survivorsOf(dataFolder)).toEqual([]);
    const second = new Start();
    expect(await call(await second.ready())).toMatchObject({ tasks: [{ name: "Kept" }] });
    await second.end("SIGINT");
  }, 120_000);

  test("leaves no process behind even when it is killed itself", async () => {
    const start = new Start();
    await start.ready();
    expect(survivorsOf(dataFolder).length).toBeGreaterThan(3);
    await start.end("SIGKILL");
    await expect.poll(() => survivorsOf(dataFolder), { timeout: 15_000 }).toEqual([]);
  }, 120_000);

  test("says in one line that a port is in use, before it starts anything", async () => {
    const squatter = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void squatter.close());
    await once(squatter, "listening");
    const address = squatter.address();
    const port = String(typeof address === "object" ? address?.port : address);
    const { code, output } = await new Start({ HELIX_ZED_TASK_PORT: port }).end();
    expect(code).toBe(1);
    expect(output).toMatch(new RegExp(`^Starting.*\n.*Port ${port} for the task-service .* is in use.*\n$`));
  });

  test.runIf(process.platform === "linux")("says in one line that its data folder cannot be made", async () => {
    const { code, output } = await new Start({ HELIX_ZED_DATA_DIR: "/proc/x/y" }).end();
    expect(code).toBe(1);
    expect(output).toMatch(/^Starting.*\n.*\/proc\/x\/y cannot be used \(ENOENT\); set HELIX_ZED_DATA_DIR.*\n$/);
  });

  test("says in one line that the database cannot be used, without its password", async () => {
    const { code, output } = await new Start({ DATABASE_URL: "postgres://me:secret@127.0.0.1:1/postgres" }).end();
    expect(code).toBe(1);
    expect(output).toMatch(
      /^Starting.*\n.*database helix_zed_task at 127\.0\.0\.1:1 cannot be used: .*ECONNREFUSED.*\n$/,
    );
    expect(output).not.toContain("secret");
  });
});
