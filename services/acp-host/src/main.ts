import { destination, pino } from "pino";
import { startAcpHost } from "./acp-host.ts";
import { readConfig } from "./config.ts";
import { realWorld } from "./world.ts";

const read = readConfig(process.env);
if ("problems" in read) {
  process.stderr.write(`acp-host cannot start: ${read.problems.join("; ")}\n`);
  process.exit(1);
}

const { config } = read;
const log = pino({ level: config.logLevel, base: { service: "acp-host", session: config.sessionId } }, destination(2));

let stopping = false;
const stop = async (reason: string): Promise<void> => {
  if (stopping) return;
  stopping = true;
  log.info({ reason }, "stopping");
  await host.stop();
  process.exit(0);
};

const host = startAcpHost({
  config,
  environment: process.env,
  nodePath: process.execPath,
  world: realWorld,
  log,
  onOrphaned: () => void stop(`no link for ${config.orphanTimeoutMs} ms`),
});

for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void stop(signal));
