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

/** Makes a log. Lines are written at once, so that the last one before an exit is not lost. */
export function createLog({ name, level, destination: target = standardError() }: LogOptions): Log {
  return pino({ name, level }, target);
}

function standardError(): DestinationStream {
  const stream = destination({ fd: 2, sync: true });
  // Whoever read our log has gone: no reason to stop.
  stream.on("error", () => {});
  return stream;
}
