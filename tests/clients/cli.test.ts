import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { run } from "@helix-zed/cli/run";
import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { freePort } from "@helix-zed/harness/free-port.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const program = fileURLToPath(import.meta.resolve("@helix-zed/cli/main"));

let cluster: Cluster;
let taskId: string;
let sessionId: string;

beforeAll(async () => {
  cluster = await startCluster();
}, 60_000);

afterAll(() => cluster.stop());

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function environment(token = cluster.token("local")): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"], HELIX_ZED_URL: cluster.gatewayUrl, HELIX_ZED_TOKEN: token };
}

/** Runs the program as a script does: its output is no terminal. */
function cli(...args: string[]): Promise<Result> {
  return cliWith(environment(), ...args);
}

function cliWith(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Result> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** Runs it as on a terminal. */
async function onTerminal(...args: string[]): Promise<Result> {
  const written = { stdout: "", stderr: "" };
  const sink = (name: keyof typeof written) => ({
    write: (text: string) => void (written[name] += text),
    isTerminal: true,
    columns: 100,
  });
  const code = await run({
    arguments: args,
    environment: environment(),
    stdout: sink("stdout"),
    stderr: sink("stderr"),
    readInput: () => Promise.resolve(""),
    interrupted: new AbortController().signal,
  });
  return { code, ...written };
}

describe("the command line", () => {
  test("creates a task, waits until the agent has done it, and prints what it said", async () => {
    const repository = cluster.makeRepository("cli");
    const created = await cli("task", "create", "By hand", "-d", "Add a page", "-p", repository);
    taskId = JSON.parse(created.stdout)["id"];
    const ended = await cli("--timeout", "60", "task", "wait", taskId);
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(ended.stdout)).toMatchObject({ id: taskId, status: "completed", task_type: "batch" });
    const [session] = jsonLines((await cli("session", "list", taskId)).stdout);
    sessionId = String(session?.["id"]);
    const entries = jsonLines((await cli("thread", "entries", sessionId)).stdout);
    expect(entries.map(({ role }) => role)).toContain("assistant");
    expect(entries[0]).toMatchObject({ role: "user", content: "Add a page" });
  }, 90_000);

  test("speaks to an agent and prints the answer", async () => {
    const repository = cluster.makeRepository("talk");
    const created = await cli("task", "create", "Talk", "-t", "interactive", "-p", repository);
    const [session] = jsonLines((await cli("session", "list", JSON.parse(created.stdout)["id"])).stdout);
    const id = String(session?.["id"]);
    await eventually("the thread is there", async () => (await cli("thread", "get", id)).code === 0);
    const tail = spawn(process.execPath, [program, "thread", "tail", id], { env: environment() });
    let tailed = "";
    tail.stdout.on("data", (chunk: Buffer) => (tailed += chunk.toString()));
    const answer = await cli("--timeout", "60", "thread", "send", id, "Now add a test", "--wait");
    expect(answer).toMatchObject({ code: 0, stderr: "" });
    expect(jsonLines(answer.stdout).at(-1)).toMatchObject({ role: "assistant", type: "text" });
    await eventually("the tail shows the message", () => tailed.includes("Now add a test"));
    const exit = once(tail, "exit");
    tail.kill("SIGINT");
    expect(await exit).toEqual([130, null]);
  }, 90_000);

  test("prints tables on a terminal", async () => {
    const { code, stdout } = await onTerminal("task", "list", "--filter", 'name = "By hand"');
    const [head, row] = stdout.split("\n");
    expect(code).toBe(0);
    expect(head).toMatch(/^ID +TYPE +STATUS +UPDATED +NAME$/);
    expect(row).toMatch(new RegExp(String.raw`^${taskId}  batch  completed +\S+Z  By hand$`));
    expect((await onTerminal("thread", "entries", sessionId)).stdout).toContain("> Add a page");
  });

  test.each([
    { why: "the task is not there", args: ["task", "get", "tsk_0"], code: 3, says: /TASK_NOT_FOUND/ },
    { why: "the filter is wrong", args: ["task", "list", "-f", "nonsense ="], code: 2, says: /position/ },
    { why: "an argument is missing", args: ["task", "get"], code: 2, says: /missing required argument/ },
    { why: "the command is unknown", args: ["tusk"], code: 2, says: /unknown command/ },
    { why: "the address is none", args: ["--url", "nowhere", "task", "list"], code: 2, says: /not an http/ },
    { why: "nobody listens", args: ["--url", "http://127.0.0.1:1", "task", "list"], code: 6, says: /helix-zed:/ },
    { why: "the token file is missing", args: ["--token-file", "/none", "task", "list"], code: 4, says: /ENOENT/ },
  ])("fails in one line, and tells programs why by its code, where $why", async ({ args, code, says }) => {
    const result = await cli(...args);
    expect(result).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(says) });
    expect(result.stderr).not.toContain("    at ");
  });

  test("is refused with a wrong token", async () => {
    expect(await cliWith(environment("wrong"), "task", "list")).toMatchObject({ code: 4 });
  });

  test("fails where the state forbids what it is asked for", async () => {
    expect(await cli("task", "cancel", taskId)).toMatchObject({ code: 5, stderr: expect.stringMatching(/completed/) });
  });

  test("gives up in time, and fails when what it waited for was cancelled", async () => {
    const { stdout } = await cli("task", "create", "Waits", "-t", "interactive", "-a", "simple");
    const { id } = JSON.parse(stdout);
    expect(await cli("--timeout", "1", "task", "wait", id)).toMatchObject({ code: 8 });
    await cli("task", "cancel", id);
    expect(await cli("task", "wait", id)).toMatchObject({ code: 7, stderr: expect.stringMatching(/cancelled/) });
  });

  test("creates once, however often it is told to under one request id", async () => {
    const args = ["task", "create", "Once", "-a", "simple", "--request-id", "3e0b4c1c-63a5-4d68-a2e1-8f3fbb6d7a10"];
    const [first, second] = [await cli(...args), await cli(...args)];
    expect(second.stdout).toBe(first.stdout);
  });

  test("ends when its reader has had enough", async () => {
    const watching = spawn(process.execPath, [program, "task", "watch"], { env: environment() });
    const exit = once(watching, "exit");
    await once(watching.stdout, "data");
    watching.stdout.destroy();
    await cli("task", "create", "One more", "-a", "simple");
    expect(await exit).toEqual([0, null]);
  });

  test("shows nothing of what a server or an agent says that a terminal would obey", async () => {
    const hostile = createServer((_request, response) => {
      response.writeHead(404, { "content-type": "application/json" });
      response.end(JSON.stringify({ code: "not_found", message: "\u001b[2Jgone\u0007" }));
    });
    const port = await freePort();
    hostile.listen(port, "127.0.0.1");
    await once(hostile, "listening");
    const { stderr } = await onTerminal("--url", `http://127.0.0.1:${port}`, "task", "get", "tsk_1");
    hostile.close();
    // oxlint-disable-next-line no-control-regex
    expect(stderr).not.toMatch(/[\u001b\u0007]/);
  });

  test("completes commands, options and shells", async () => {
    expect((await cli("complete", "--", "task", "w")).stdout).toBe("wait\nwatch\n");
    expect((await cli("complete", "--", "task", "create", "--ag")).stdout).toBe("--agent\n");
    expect((await cli("complete", "--", "completion", "")).stdout).toBe("bash\nfish\nzsh\n");
    expect((await cli("completion", "bash")).stdout).toContain("complete -o default -F _helix_zed helix-zed");
  });
});

function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}
