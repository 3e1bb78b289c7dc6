// What a Zed binary can do
//
// Only a Zed that was built with the sync protocol can be driven; others start, and never connect. What it was built with
// shows in its `--help`: the options that came with it. It is asked once for each state of the file, with a deadline, in
// a process group of its own, because what hides behind the name may be anything.
import { spawn } from "node:child_process";
import { stat } from "node:fs/promises";

/** What a binary is asked in, and for how long. */
export interface AskOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

const NEEDED = ["--headless", "--allow-multiple-instances", "--user-data-dir"] as const;
const TIMEOUT_MS = 5_000;
const HELP_CHARACTERS_MAX = 256 * 1024;

/** Remembers which binaries can be driven. */
export class ZedBinary {
  readonly #file: string;
  #known = "";

  constructor(file: string) {
    this.#file = file;
  }

  /** Throws, with the reason for people, unless the binary can be driven. */
  async check(options: AskOptions): Promise<void> {
    const found = await stat(this.#file).catch(() => null);
    if (found === null) throw new Error(`there is no Zed at ${this.#file}`);
    const state = `${found.ino} ${found.size} ${found.mtimeMs}`;
    if (state === this.#known) return;
    requireOptions(this.#file, await helpOf(this.#file, options));
    this.#known = state;
  }
}

function requireOptions(file: string, help: string): void {
  const missing = NEEDED.filter((option) => !help.includes(option));
  if (missing.length === 0) return;
  if (help.includes("--wait") && help.includes("--foreground")) {
    throw new Error(`${file} is Zed's command line tool: name the editor itself (libexec/zed-editor)`);
  }
  const reason = "a Zed built with the feature external_websocket_sync is needed";
  throw new Error(`the Zed at ${file} cannot be driven: it does not know ${missing.join(", ")}; ${reason}`);
}

async function helpOf(file: string, { environment, timeoutMs = TIMEOUT_MS }: AskOptions): Promise<string> {
  const child = spawn(file, ["--help"], {
    env: { ...environment },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const killGroup = (): void => void (child.pid === undefined || signalGroup(child.pid));
  const deadline = setTimeout(killGroup, timeoutMs);
  let help = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      help += text.slice(0, HELP_CHARACTERS_MAX - help.length);
    });
  }
  try {
    const end = await new Promise<string>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `killed by ${signal}`));
    });
    // What it left running holds the pipes open.
    killGroup();
    child.stdout.destroy();
    child.stderr.destroy();
    if (end !== "exit code 0") throw new Error(end);
    return help;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the Zed at ${file} does not say what it can do (${why})`, { cause: error });
  } finally {
    clearTimeout(deadline);
  }
}

function signalGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left in it.
  }
}
