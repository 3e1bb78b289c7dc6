// One service as a child process.
//
// It runs in its own process group, so that Ctrl-C in a terminal reaches only us and we stop things in order; it has
// an IPC channel, whose end tells it that we are gone; its environment is exactly what it is given. It writes its log
// to a file and, when it is healthy, one line to stdout: {"ready":"task-service","port":8081}.

import { spawn, type ChildProcess } from "node:child_process";
import { closeSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { lastLines, lastWords, openLogFile, type LogFile } from "./log-file.ts";

/** How to run a service. */
export interface ServiceCommand {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** What to run instead of services/<name>/src/main.ts. */
  readonly program?: string;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const ROOT = path.resolve(import.meta.dirname, "..", "..");
const READY_TIMEOUT_MS = 60_000;
/** A service stops within 10 s by itself. */
const STOP_TIMEOUT_MS = 12_000;

/** A running service. */
export class ServiceProcess {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** Resolves when the process has ended, however it did. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #log: LogFile;

  private constructor(started: Started, port: number) {
    this.name = started.name;
    this.pid = started.pid;
    this.port = port;
    this.exited = started.exited;
    this.#child = started.child;
    this.#log = started.log;
  }

  /**
   * Starts the service and waits until it is healthy; throws its own one-line reason when it cannot be. When `signal`
   * aborts before that, the process is stopped and the signal's reason thrown.
   */
  static async start(command: ServiceCommand, signal?: AbortSignal): Promise<ServiceProcess> {
    signal?.throwIfAborted();
    const started = spawnService(command);
    try {
      return new ServiceProcess(started, await untilReady(started, signal));
    } catch (error) {
      await stopService(started);
      throw error;
    }
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Sends a signal to the service's process alone, and answers when it has ended. */
  kill(signal: NodeJS.Signals): Promise<Exit> {
    this.#child.kill(signal);
    return this.exited;
  }

  /** Asks the service to stop, and kills it and what it started if it does not. */
  stop(): Promise<Exit> {
    return stopService({ child: this.#child, pid: this.pid, exited: this.exited });
  }

  /** What it wrote last, oldest line first. */
  lastLines(countMax: number): string[] {
    return lastLines(this.#log, countMax);
  }

  /** The line that tells best why it ended: the signal that did it, or the last that it wrote. */
  lastWords(): string {
    return this.#child.signalCode ?? lastWords(this.#log);
  }
}

interface Started {
  readonly name: string;
  readonly pid: number;
  readonly child: ChildProcess;
  readonly stdout: Readable;
  readonly exited: Promise<Exit>;
  readonly log: LogFile;
}

function spawnService({ name, environment, logFile, program = mainOf(name) }: ServiceCommand): Started {
  const log = openLogFile(logFile);
  const child = spawn(process.execPath, [program], {
    cwd: ROOT,
    env: environment,
    detached: true,
    stdio: ["ignore", "pipe", log.descriptor, "ipc"],
  });
  closeSync(log.descriptor);
  const { pid, stdout } = child;
  if (pid === undefined || stdout === null) throw new Error(`${name} cannot be started: no process was made.`);
  const exited = new Promise<Exit>((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
  return { name, pid, child, stdout, exited, log };
}

function mainOf(service: string): string {
  return path.join(ROOT, "services", service, "src", "main.ts");
}

async function untilReady({ name, stdout, exited, log }: Started, signal?: AbortSignal): Promise<number> {
  const timeout = AbortSignal.timeout(READY_TIMEOUT_MS);
  const aborted = Promise.withResolvers<never>();
  timeout.addEventListener("abort", () =>
    aborted.reject(new Error(`${name} was not ready within ${READY_TIMEOUT_MS / 1000} s (see ${log.path})`)),
  );
  signal?.addEventListener("abort", () => aborted.reject(signal.reason));
  const ended = exited.then((): never => {
    throw new Error(lastWords(log));
  });
  // The ones that lose the race may fail later, unheard.
  aborted.promise.catch(() => undefined);
  ended.catch(() => undefined);
  return Promise.race([readyPort(name, stdout), ended, aborted.promise]);
}

/** Reads stdout to its end, so that the pipe never fills; answers at the ready line. */
function readyPort(name: string, stdout: Readable): Promise<number> {
  return new Promise((resolve) => {
    createInterface(stdout).on("line", (line) => {
      const port = /^\{"ready":"([^"]+)","port":(\d+)\}$/.exec(line);
      if (port?.[1] === name) resolve(Number(port[2]));
    });
  });
}

async function stopService({ child, pid, exited }: Pick<Started, "child" | "pid" | "exited">): Promise<Exit> {
  child.kill("SIGTERM");
  const patience = setTimeout(() => killGroup(pid), STOP_TIMEOUT_MS);
  const exit = await exited;
  clearTimeout(patience);
  killGroup(pid);
  return exit;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left in the group.
  }
}
