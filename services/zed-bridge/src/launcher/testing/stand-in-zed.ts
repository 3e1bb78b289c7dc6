// A Zed that is none
//
// Takes the arguments, the environment, the settings and the folders that a real one takes, in the way in which it takes
// them, and does not start where a real one would not, or would start and never be heard of. After that it is the test
// kit's fake Zed in a process of its own. What it found it writes down for the test, in its data folder.
//
// It is run by a wrapper that a test makes (see make-stand-in-zed.ts), which also says how it misbehaves.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { say } from "@helix-zed/harness/fake-zed/agent-plan.ts";
import { openEditorSocket } from "@helix-zed/harness/fake-zed/editor-socket.ts";
import { FakeZed } from "@helix-zed/harness/fake-zed/fake-zed.ts";
import { type StoredThread, ZedDataFolder } from "@helix-zed/harness/fake-zed/zed-data-folder.ts";
import { fastWorld } from "@helix-zed/harness/fake-zed/zed-world.ts";

/** How a stand-in misbehaves; those that end or hang do so in their first life only. */
export type ZedFault =
  | "none"
  | "stock"
  | "command-line-tool"
  | "exits"
  | "crashes"
  | "hangs"
  | "never-connects"
  | "connects-twice"
  | "floods"
  | "forks"
  | "ignores-term";

/** What a stand-in found when it was started. */
export interface ZedReport {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly settings: unknown;
}

const SPEED = 20;
const FLOOD_MEBIBYTES = 100;

const options = {
  headless: { type: "boolean", default: false },
  "allow-multiple-instances": { type: "boolean", default: false },
  "user-data-dir": { type: "string" },
  help: { type: "boolean", default: false },
} as const;

/** Runs as Zed does. Ends the process with 2 for arguments that Zed does not know, and with 64 for all else that is wrong. */
export async function runStandIn(fault: ZedFault): Promise<void> {
  if (process.argv.includes("--help")) return help(fault);
  const { args, project } = readArguments();
  const dataFolder = args["user-data-dir"] ?? fail(64, "no data folder of its own");
  const settings = readSettings(dataFolder);
  for (const problem of problemsOf(project, args)) fail(64, problem);
  const life = beginLife(dataFolder);
  report(dataFolder, settings);
  await misbehaveFirst(fault, life);
  connect(fault, life, dataFolder, args.headless);
}

function help(fault: ZedFault): void {
  const stock = ["--user-data-dir <DIR>", "--system-specs"];
  const drivable = [...stock, "--headless", "--allow-multiple-instances"];
  const tool = [...stock, "--wait", "--foreground"];
  const known = fault === "stock" ? stock : fault === "command-line-tool" ? tool : drivable;
  process.stdout.write(`Usage: zed [OPTIONS] [PATHS]...\n\nOptions:\n${known.map((each) => `  ${each}\n`).join("")}`);
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true, strict: true });
    const [project = "", ...more] = positionals;
    if (more.length > 0) throw new Error("more than one project");
    return { args: values, project };
  } catch (error) {
    return fail(2, error instanceof Error ? error.message : String(error));
  }
}

/** With a data folder of its own, Zed's configuration is in it; with none it would be where XDG says. */
function readSettings(dataFolder: string): unknown {
  const file = path.join(dataFolder, "config/settings.json");
  const usual = path.join(process.env["XDG_CONFIG_HOME"] ?? "", "zed/settings.json");
  const text = readFileSync(file, "utf8");
  if (readFileSync(usual, "utf8") !== text) fail(64, `${usual} says something else than ${file}`);
  if ((statSync(file).mode & 0o777) !== 0o600) fail(64, "others may read the settings");
  if (text.includes(process.env["ZED_HELIX_TOKEN"] ?? "")) fail(64, "the link's token is in the settings");
  const settings: { agent_servers: Record<string, { type: string; command: string }> } = JSON.parse(text);
  for (const [name, { type, command }] of Object.entries(settings.agent_servers)) {
    if (type !== "custom" || !path.isAbsolute(command)) fail(64, `the agent ${name} would have to be fetched`);
  }
  return settings;
}

function problemsOf(
  project: string,
  args: { readonly headless: boolean; readonly "allow-multiple-instances": boolean },
): string[] {
  const environment = process.env;
  const isSwitchedOn = (name: string): boolean => environment[name] === "true";
  const checks: readonly [boolean, string][] = [
    [isSwitchedOn("ZED_EXTERNAL_SYNC_ENABLED") && isSwitchedOn("ZED_WEBSOCKET_SYNC_ENABLED"), "sync is switched off"],
    [environment["HELIX_SESSION_ID"] !== undefined, "it is nobody: no HELIX_SESSION_ID"],
    [/^[^/]+:\d+$/.test(environment["ZED_HELIX_URL"] ?? ""), "ZED_HELIX_URL is no host and port"],
    [environment["ZED_HELIX_TLS"] === "false", "ZED_HELIX_TLS is not said"],
    [/^[\w-]{43}$/.test(environment["ZED_HELIX_TOKEN"] ?? ""), "no token of 256 bits"],
    [!process.argv.some((argument) => argument.includes(environment["ZED_HELIX_TOKEN"] ?? "?")), "token in argv"],
    [environment["ZED_WORK_DIR"] === project && process.cwd() === project, "it works in several folders"],
    [environment["ZED_STATELESS"] === undefined, "it would forget its threads"],
    [process.getuid?.() !== 0 || environment["ZED_ALLOW_ROOT"] === "true", "root may not run it"],
    [args.headless || environment["ZED_ALLOW_EMULATED_GPU"] === "1", "there is no GPU"],
    [args["allow-multiple-instances"], "another instance would take over"],
    [existsSync(environment["HOME"] ?? "") && existsSync(environment["TMPDIR"] ?? ""), "no home or temporary folder"],
    [(environment["XDG_DATA_HOME"] ?? "").startsWith(environment["HOME"] ?? "?"), "its data is not private"],
  ];
  return checks.filter(([holds]) => !holds).map(([, problem]) => problem);
}

function beginLife(dataFolder: string): number {
  const file = path.join(dataFolder, "lives");
  const life = (existsSync(file) ? Number(readFileSync(file, "utf8")) : 0) + 1;
  writeFileSync(file, String(life));
  return life;
}

function report(dataFolder: string, settings: unknown): void {
  const environment = Object.fromEntries(Object.entries(process.env).map(([name, value]) => [name, value ?? ""]));
  const found: ZedReport = { argv: process.argv.slice(2), environment, folder: process.cwd(), settings };
  writeFileSync(path.join(dataFolder, "report.json"), JSON.stringify(found));
}

async function misbehaveFirst(fault: ZedFault, life: number): Promise<void> {
  if (fault === "exits") fail(3, `no licence found for ${process.env["ZED_HELIX_TOKEN"]}`);
  if (fault === "never-connects") await new Promise(() => setInterval(() => {}, 60_000));
  if (fault === "ignores-term") process.on("SIGTERM", () => {});
  if (fault === "forks") fork();
  if (fault === "floods" && life === 1) await flood();
}

/** One in its own group and one in a group of its own, as agents are; both are deaf, and outlive it. */
function fork(): void {
  const sleeper = ["--eval", 'process.on("SIGTERM", () => {}); setInterval(() => {}, 60_000)'];
  for (const detached of [false, true]) spawn(process.execPath, sleeper, { detached, stdio: "ignore" }).unref();
}

async function flood(): Promise<void> {
  const block = Buffer.from(`${"x".repeat(1023)}\n`.repeat(1024));
  for (let left = FLOOD_MEBIBYTES; left > 0; left--) {
    await new Promise<void>((resolve) => process.stdout.write(block, () => resolve()));
  }
  process.stdout.write("the end\n");
}

function connect(fault: ZedFault, life: number, dataFolder: string, headless: boolean): void {
  const at = {
    address: process.env["ZED_HELIX_URL"] ?? "",
    instanceId: process.env["HELIX_SESSION_ID"] ?? "",
    token: process.env["ZED_HELIX_TOKEN"] ?? "",
  };
  let isFirst = life === 1;
  FakeZed.start({
    ...at,
    headless,
    world: fastWorld(SPEED),
    data: new DiskFolder(path.join(dataFolder, "threads.json"), life),
    script: ({ message }) => {
      if (isFirst) misbehaveInTurn(fault, at);
      isFirst = false;
      return [say(`heard ${message}`)];
    },
  });
}

/** In the middle of the first turn. */
function misbehaveInTurn(fault: ZedFault, at: Parameters<typeof openEditorSocket>[0]): void {
  if (fault === "crashes") process.kill(process.pid, "SIGSEGV");
  if (fault === "hangs") process.kill(process.pid, "SIGSTOP");
  // And never says anything on it.
  if (fault === "connects-twice") void openEditorSocket(at);
}

/** A data folder that is one: threads are still there in the next life. */
class DiskFolder extends ZedDataFolder {
  constructor(file: string, life: number) {
    super(`thread-${life}`);
    const stored: [string, StoredThread][] = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
    for (const [id, thread] of stored) this.threads.set(id, thread);
    const { threads } = this;
    const add = threads.set.bind(threads);
    threads.set = (id, thread) => {
      add(id, thread);
      writeFileSync(file, JSON.stringify([...threads]));
      return threads;
    };
  }
}

function fail(code: number, why: string): never {
  process.stderr.write(`${why}\n`);
  process.exit(code);
}
