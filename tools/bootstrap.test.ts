import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";

// A repository of three files, and an npx that notes that it was called and installs nothing but a node.
const FAKE_NPX = `#!/bin/sh
echo "$@" >> npx-calls
if [ -e hang ]; then echo $$ > npx-pid; exec sleep 60; fi
[ -e fail ] && exit 7
mkdir -p node_modules/.bin
ln -sf "$REAL_NODE" node_modules/.bin/node
`;
const REPORT = `console.log(JSON.stringify({ args: process.argv.slice(2), node: process.env["PATH"]?.split(":")[0] }));`;
const DISCONNECT = `process.once("disconnect", () => console.log("alone")); console.log(process.pid); setInterval(() => {}, 1e3);`;

/** For root every folder can be written, so it becomes nobody first. */
const BECOME_NOBODY = "if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }";
const AS_ORDINARY_ACCOUNT = ["--import", `data:text/javascript,${encodeURIComponent(BECOME_NOBODY)}`];

let root: string;
let programs: string;

beforeEach(() => {
  const scratch = mkdtempSync(path.join(tmpdir(), "bootstrap test "));
  onTestFinished(() => rmSync(scratch, { recursive: true, force: true }));
  [root, programs] = [path.join(scratch, "a checkout"), path.join(scratch, "bin")];
  mkdirSync(path.join(root, "tools"), { recursive: true });
  mkdirSync(programs);
  for (const part of ["bootstrap.mjs", "bootstrap"])
    cpSync(path.join(import.meta.dirname, part), path.join(root, "tools", part), { recursive: true });
  for (const name of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"]) write(name, "{}");
  write("tools/report.ts", REPORT);
  write("tools/disconnect.ts", DISCONNECT);
  program("npx", FAKE_NPX);
  program("git", "#!/bin/sh\n");
  for (const tool of ["sh", "mkdir", "ln", "sleep"]) symlinkSync(`/bin/${tool}`, path.join(programs, tool));
});

function write(name: string, text: string): void {
  writeFileSync(path.join(root, name), text);
}

function program(name: string, text: string): void {
  writeFileSync(path.join(programs, name), text, { mode: 0o755 });
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: programs, REAL_NODE: process.execPath };
}

function run(...args: string[]): { code: number | null; out: string; err: string } {
  return runNode("tools/bootstrap.mjs", ...args);
}

function runNode(...command: string[]): { code: number | null; out: string; err: string } {
  const result = spawnSync(process.execPath, command, { cwd: root, env: environment(), encoding: "utf8" });
  return { code: result.status, out: result.stdout, err: result.stderr };
}

function start(...args: string[]): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, ["tools/bootstrap.mjs", ...args], { cwd: root, env: environment() });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

function installs(): number {
  const log = path.join(root, "npx-calls");
  return existsSync(log) ? readFileSync(log, "utf8").trim().split("\n").length : 0;
}

/** The text of a file that another process is about to write. */
async function written(name: string): Promise<string> {
  const file = path.join(root, name);
  return vi.waitUntil(() => existsSync(file) && readFileSync(file, "utf8"), { timeout: 10_000 });
}

describe("the bootstrap", () => {
  test("installs once, and then runs the command under the pinned Node with its arguments", () => {
    const first = run("tools/report.ts", "one", "two words");
    expect(JSON.parse(first.out)).toEqual({
      args: ["one", "two words"],
      node: path.join(root, "node_modules", ".bin"),
    });
    expect(readFileSync(path.join(root, "npx-calls"), "utf8")).toMatch(/^-y pnpm@\S+ install --frozen-lockfile/);
    expect(run("tools/report.ts")).toMatchObject({ code: 0, err: "" });
    expect(installs()).toBe(1);
  });

  test.for(["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"])("installs again when %s changed", (name) => {
    run("tools/report.ts");
    write(name, '{"changed":true}');
    run("tools/report.ts");
    expect(installs()).toBe(2);
  });

  test("says that an install failed, runs nothing, and tries again the next time without throwing anything away", () => {
    run("tools/report.ts");
    write("node_modules/precious", "");
    write("pnpm-lock.yaml", "changed");
    write("fail", "");
    expect(run("tools/report.ts")).toMatchObject({ code: 1, out: "", err: expect.stringMatching(/failed \(7\)/) });
    rmSync(path.join(root, "fail"));
    expect(run("tools/report.ts").code).toBe(0);
    expect(existsSync(path.join(root, "node_modules", "precious"))).toBe(true);
  });

  test("starts over after an install that was killed", async () => {
    mkdirSync(path.join(root, "node_modules"));
    write("node_modules/half-made", "");
    write("hang", "");
    const killed = start("tools/report.ts");
    const installer = Number(await written("npx-pid"));
    killed.kill("SIGKILL");
    process.kill(installer, "SIGKILL");
    await once(killed, "exit");
    rmSync(path.join(root, "hang"));
    expect(run("tools/report.ts")).toMatchObject({ code: 0, err: expect.stringContaining("starting over") });
    expect(existsSync(path.join(root, "node_modules", "half-made"))).toBe(false);
  });

  test("passes a signal on to everything that an install started", async () => {
    write("hang", "");
    const bootstrap = start("tools/report.ts");
    const installer = Number(await written("npx-pid"));
    bootstrap.kill("SIGTERM");
    const [code] = await once(bootstrap, "exit");
    expect(code).toBe(1);
    expect(() => process.kill(installer, 0)).toThrow("ESRCH");
  });

  test("tells the command by its channel that it was killed", async () => {
    run("tools/report.ts");
    const bootstrap = start("tools/disconnect.ts");
    const lines = createInterface(bootstrap.stdout);
    const [pid] = await once(lines, "line");
    const alone = once(lines, "line");
    bootstrap.kill("SIGKILL");
    expect(await alone).toEqual(["alone"]);
    process.kill(Number(pid), "SIGKILL");
  });

  test.for([
    { lacks: "git", says: /^git is missing: .*\n$/ },
    { lacks: "npx", says: /^npx is missing: .*\n$/ },
  ])("says in one line that $lacks is missing", ({ lacks, says }) => {
    rmSync(path.join(programs, lacks));
    expect(run("tools/report.ts")).toMatchObject({ code: 1, out: "", err: expect.stringMatching(says) });
  });

  test("says in one line that the folder is read-only", () => {
    for (const folder of [path.dirname(root), root]) chmodSync(folder, 0o555);
    onTestFinished(() => {
      for (const folder of [path.dirname(root), root]) chmodSync(folder, 0o755);
    });
    expect(runNode(...AS_ORDINARY_ACCOUNT, "tools/bootstrap.mjs", "tools/report.ts")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/cannot be written.*\n$/),
    });
  });

  test("ends with the exit code of the command", () => {
    write("tools/three.ts", "process.exit(3)");
    expect(run("tools/three.ts").code).toBe(3);
  });
});
