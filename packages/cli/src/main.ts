#!/usr/bin/env node
import { text } from "node:stream/consumers";
import type { Sink } from "./output.ts";
import { run } from "./run.ts";

const DEFAULT_COLUMNS = 80;

const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort(new Error("interrupted")));
// Whoever reads has had enough: `helix-zed task list | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

process.exitCode = await run({
  arguments: process.argv.slice(2),
  environment: process.env,
  stdout: sinkOf(process.stdout),
  stderr: sinkOf(process.stderr),
  readInput: () => text(process.stdin),
  interrupted: interrupted.signal,
});
// The connection is kept alive for a next call that does not come.
process.exit();

function sinkOf(stream: NodeJS.WriteStream): Sink {
  return {
    write: (chunk) => void stream.write(chunk),
    isTerminal: stream.isTTY,
    columns: stream.columns ?? DEFAULT_COLUMNS,
  };
}
