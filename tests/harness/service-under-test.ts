import { ServiceProcess, type Exit, type ServiceCommand } from "../../tools/start/service-process.ts";

const REPORTED_LINES = 40;

/** A real service process that a test may kill and start again, always at the same port. */
export class ServiceUnderTest {
  readonly name: string;
  readonly #command: ServiceCommand;
  #process: ServiceProcess | undefined;
  #isEndedByTest = true;

  constructor(command: ServiceCommand) {
    this.name = command.name;
    this.#command = command;
  }

  get isRunning(): boolean {
    return this.#process?.isRunning ?? false;
  }

  get pid(): number {
    return this.#running().pid;
  }

  /** Starts it, or starts it again, and waits until it is healthy. */
  async start(): Promise<void> {
    if (this.isRunning) throw new Error(`${this.name} is running already.`);
    this.#isEndedByTest = false;
    this.#process = await ServiceProcess.start(this.#command);
  }

  /** Sends a signal to its process alone, and answers when that has ended. */
  kill(signal: NodeJS.Signals): Promise<Exit> {
    this.#isEndedByTest = true;
    return this.#running().kill(signal);
  }

  /** Kills it without warning if it runs, and starts it again. */
  async restart(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (this.isRunning) await this.kill(signal);
    await this.start();
  }

  /** Stops it gracefully; answers what was wrong with how it ended, now or before. */
  async stop(): Promise<string | undefined> {
    if (this.#isEndedByTest && !this.isRunning) return undefined;
    if (!this.isRunning) return `${this.name} had ended by itself: ${this.#process?.lastWords() ?? "at its start"}`;
    this.#isEndedByTest = true;
    const { code, signal } = await this.#running().stop();
    return code === 0 ? undefined : `${this.name} did not stop gracefully: it ended with ${signal ?? code}`;
  }

  /** What it logged last, for the output of a failed test. */
  report(): string {
    const lines = this.#process?.lastLines(REPORTED_LINES) ?? [];
    return [`── ${this.name}: its last ${lines.length} lines`, ...lines].join("\n");
  }

  #running(): ServiceProcess {
    if (this.#process === undefined) throw new Error(`${this.name} was not started.`);
    return this.#process;
  }
}
