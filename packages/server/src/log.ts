import { type DestinationStream, destination, type LevelWithSilent, type Logger, pino } from "pino";

/** A structured log: one JSON object a line. */
export type Log = Logger;

/** How much a log says. */
export type LogLevel = LevelWithSilent;

/** The values that a log level setting may take. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const satisfies LogLevel[];

/** Which process speaks, how much, and where to; to stderr unless told otherwise. */
export interface LogOptions {
  readonly name: string;
  readonly level: LogLevel;
  readonly destination?: DestinationStream;
}

/** Makes a log. */
export function createLog({ name, level, destination: target = new StandardError() }: LogOptions): Log {
  return pino({ name, level }, target);
}

const HELD_CHARS_MAX = 64 * 1_024;

/**
 * Writes the lines of one turn of the event loop together, at its end: a busy process spends more on each write than on
 * what is in it. Nothing is lost when the process exits, whatever makes it exit, short of a kill.
 */
class StandardError implements DestinationStream {
  readonly #stream = destination({ fd: 2, sync: true });
  #held = "";

  constructor() {
    // Whoever read our log has gone: no reason to stop.
    this.#stream.on("error", () => {});
    process.on("exit", () => this.flushSync());
  }

  write(line: string): void {
    if (this.#held === "") setImmediate(() => this.flushSync());
    this.#held += line;
    if (this.#held.length > HELD_CHARS_MAX) this.flushSync();
  }

  flushSync(): void {
    const lines = this.#held;
    this.#held = "";
    if (lines !== "") this.#stream.write(lines);
  }
}
