import { spawn, type ChildProcessByStdio } from "node:child_process";
import { statSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { Failure } from "./failure.ts";
import { findProgram } from "./find-program.ts";

export interface AgentCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Sees every line that the agent writes to stderr. */
  readonly onErrorLine: (line: string) => void;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const errorLinesKept = 20;

/**
 * The process of an agent, in a process group of its own: agents have children, and killing
 * the first process alone leaves them running.
 */
export class AgentProcess {
  readonly #child: Child;
  readonly #lastLines: string[] = [];
  /** How it ended, once it has. */
  readonly ended: Promise<string>;

  private constructor(child: Child, onErrorLine: (line: string) => void) {
    this.#child = child;
    const ended = Promise.withResolvers<string>();
    this.ended = ended.promise;
    child.once("exit", (code, signal) => {
      this.kill("SIGKILL"); // children that outlive their parent
      ended.resolve(signal === null ? `exited with code ${code}` : `was killed by ${signal}`);
    });
    child.once("error", (error) => ended.resolve(`could not be run: ${error.message}`));
    child.stdin.on("error", () => undefined); // the agent is gone, which `ended` tells
    this.#readErrorLines(onErrorLine);
  }

  /** Starts an agent, or fails with a reason that names what is missing. */
  static start(command: AgentCommand): AgentProcess {
    if (!isDirectory(command.cwd)) throw new Failure(`the work folder ${command.cwd} does not exist`);
    const program = findProgram(command.command, command.env["PATH"] ?? "");
    if (program === undefined) {
      throw new Failure(`agent "${command.name}" is not installed: command ${command.command} not found`);
    }
    const child = spawn(program, command.args, {
      cwd: command.cwd,
      env: command.env,
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    return new AgentProcess(child, command.onErrorLine);
  }

  get stdin(): Writable {
    return this.#child.stdin;
  }

  get stdout(): Readable {
    return this.#child.stdout;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The last thing it wrote to stderr, for error messages. */
  get lastLine(): string | undefined {
    return this.#lastLines.at(-1);
  }

  /** Sends a signal to the whole group. */
  kill(signal: "SIGTERM" | "SIGKILL"): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // Nobody is left in the group.
    }
  }

  #readErrorLines(onErrorLine: (line: string) => void): void {
    let rest = "";
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = (lines.pop() ?? "").slice(-10_000);
      for (const line of lines.filter((candidate) => candidate.trim() !== "")) {
        this.#lastLines.push(line);
        if (this.#lastLines.length > errorLinesKept) this.#lastLines.shift();
        onErrorLine(line);
      }
    });
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
