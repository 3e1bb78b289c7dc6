import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { mustBeGoneAfterFile } from "@helix-zed/harness/leaks.ts";
import type { TaskReplicas } from "@helix-zed/harness/task-replicas.ts";

/** A line that the program said; see runner-program.ts. */
export type RunnerLine = Readonly<Record<string, unknown>>;

/** How a runner is started. */
export interface RunnerProcessOptions {
  readonly name: string;
  readonly renewIntervalMs: number;
  readonly replica?: number;
}

const PROGRAM = path.join(import.meta.dirname, "runner-program.ts");

/** A real runner in a process of its own, that a test may stop in the middle. */
export class RunnerProcess {
  readonly #child: ChildProcess;
  readonly #lines: RunnerLine[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(replicas: TaskReplicas, { name, renewIntervalMs, replica = 0 }: RunnerProcessOptions) {
    const args = [replicas.url(replica), replicas.token("runner"), name, String(renewIntervalMs)];
    this.#child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ["pipe", "pipe", "ignore"] });
    if (this.#child.stdout === null) throw new Error("The runner has no output.");
    createInterface(this.#child.stdout).on("line", (text) => this.#hear(text));
    mustBeGoneAfterFile({
      remains: async () => (this.#isAlive ? `the runner ${name}` : undefined),
      discard: () => this.end("SIGKILL"),
    });
  }

  /** The next line with this member, which is then taken. */
  async says(member: string): Promise<RunnerLine> {
    for (;;) {
      const index = this.#lines.findIndex((line) => member in line);
      const [line] = index === -1 ? [] : this.#lines.splice(index, 1);
      if (line !== undefined) return line;
      await new Promise<void>((resolve, reject) => {
        this.#listeners.add(resolve);
        this.#child.once("exit", () => reject(new Error(`The runner ended before it said "${member}".`)));
      });
    }
  }

  /** Tells it to report that a session is completed. */
  report(id: unknown): void {
    this.#child.stdin?.write(`${String(id)}\n`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it, and waits until it is gone. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (!this.#isAlive) return;
    const exited = once(this.#child, "exit");
    this.#child.kill(signal);
    await exited;
  }

  get #isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  #hear(text: string): void {
    const line: RunnerLine = JSON.parse(text);
    this.#lines.push(line);
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}
