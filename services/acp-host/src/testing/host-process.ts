import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

/** The folders of one host, kept from one run to the next. */
export interface HostFolders {
  readonly workDir: string;
  readonly dataDir: string;
  remove(): void;
}

/** Makes the folders of a host. */
export function makeHostFolders(): HostFolders {
  const root = mkdtempSync(join(tmpdir(), "acp-host-test-"));
  const folders = { workDir: join(root, "work"), dataDir: join(root, "data") };
  for (const folder of Object.values(folders)) mkdirSync(folder);
  return { ...folders, remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }) };
}

/** A host as its own process, started as the bridge starts it. */
export class HostProcess {
  readonly #child: ChildProcess;
  #output = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
  }

  /** Starts one. Its environment is exactly what is given and where programs are. */
  static start(environment: Readonly<Record<string, string>>): HostProcess {
    const PATH = process.env["PATH"] ?? "";
    const env = { PATH, ZED_EXTERNAL_SYNC_ENABLED: "true", ACP_HOST_LOG_LEVEL: "debug", ...environment };
    return new HostProcess(spawn(process.execPath, [main], { env, stdio: ["ignore", "ignore", "pipe"] }));
  }

  /** Everything it has logged. */
  get output(): string {
    return this.#output;
  }

  /** The process ids of the agents that it has started so far, oldest first. */
  get agentPids(): number[] {
    return [...this.#output.matchAll(/"pid":(\d+),[^\n]*"msg":"agent started"/g)].map((match) => Number(match[1]));
  }

  /** Sends a signal and waits for its end; resolves with its exit code. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<number | null> {
    this.#child.kill(signal);
    return this.exited();
  }

  async exited(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
    return this.#child.exitCode;
  }
}
