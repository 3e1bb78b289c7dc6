import { destination, pino } from "pino";
import { startAcpHost } from "./acp-host.ts";
import { readConfig, type Config } from "./config.ts";
import { realWorld } from "./world.ts";

function start(config: Config): void {
  const log = pino(
    { level: config.logLevel, base: { service: "acp-host", session: config.sessionId } },
    destination(2),
  );
  const stop = async (reason: string): Promise<void> => {
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
}

try {
  const read = readConfig(process.env);
  if ("problems" in read) throw new Error(read.problems.join("; "));
  start(read.config);
} catch (error) {
  process.stderr.write(`acp-host cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
