// `npm start [folder…]`: the whole system on this machine, until Ctrl-C. The folders are where agents may work, beside
// the one that is made for them. Settings: start/start-settings.ts.

import path from "node:path";
import { firstScreen } from "./start/first-screen.ts";
import { startSystem, type Outside } from "./start/running-system.ts";
import { readStartSettings } from "./start/start-settings.ts";

const root = path.resolve(import.meta.dirname, "..");

/** Aborts when this process is told to stop, or when the process that started it is gone. */
function stopRequest(): AbortController {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopping.abort());
  process.once("disconnect", () => stopping.abort());
  return stopping;
}

async function main(folders: readonly string[]): Promise<void> {
  const startedAt = performance.now();
  const stopping = stopRequest();
  const outside: Outside = {
    environment: process.env,
    stopping: stopping.signal,
    report: (line) => console.log(line),
    giveUp: (line) => {
      fail(line);
      stopping.abort();
    },
  };
  console.log("Starting Helix-Zed …");
  const system = await startSystem(readStartSettings(process.env, folders, root), outside);
  console.log(firstScreen(system, performance.now() - startedAt));
  await aborted(stopping.signal);
  console.log("Stopping …");
  await system.stop();
  console.log("Everything has stopped.");
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

function fail(line: string): void {
  console.error(line);
  process.exitCode = 1;
}

// Whoever reads our output may go before we do.
process.stdout.on("error", () => undefined);
process.stderr.on("error", () => undefined);

await main(process.argv.slice(2)).catch((error: unknown) => {
  const isStopped = error instanceof Error && error.name === "AbortError";
  if (isStopped) console.log("Stopped before everything was running.");
  else fail(`Helix-Zed cannot start: ${error instanceof Error ? error.message : String(error)}`);
});
if (process.connected) process.disconnect();
