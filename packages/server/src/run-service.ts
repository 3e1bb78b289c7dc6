// Running a service
//
//    read the settings ─▶ build the parts ─▶ open the port ─▶ healthy ─▶ print the ready line ─▶ …
//    … ─▶ told to stop ─▶ health NOT_SERVING ─▶ streams end, calls finish ─▶ parts stopped ─▶ exit 0
//
// The ready line is the only thing on stdout: `{"ready":"task-service","port":8081}`. Whatever keeps a service from
// starting is one plain line on stderr and exit 1. It is told to stop by SIGTERM, by SIGINT, or by the end of the IPC
// channel to the process that started it, so that it cannot outlive it. A failure that nobody handles ends the process:
// what is still true afterwards, nobody knows.
import { systemWorld, type World } from "@helix-zed/domain";
import { type Read, readEnvironment, type Setting } from "./environment.ts";
import { createLog, type Log } from "./log.ts";
import { serve, type ServeOptions, type Server } from "./serve.ts";
import type { ServiceSettings } from "./service-settings.ts";

/** What a service is made of once it is built, and what it does on its way up and down. */
export interface ServiceParts extends Omit<ServeOptions, "host" | "port" | "log" | "world"> {
  /** Runs once the port is open; begins whatever the service does of its own accord. */
  readonly started?: (listening: { readonly port: number }) => void | Promise<void>;
  /** Runs when the service is told to stop, while its calls finish: takes no more work, lets go of links. */
  readonly draining?: () => void | Promise<void>;
  /** Runs after the last call has ended: closes what the calls needed. */
  readonly stopped?: () => void | Promise<void>;
}

/** What a service is given from outside. */
export interface Outside {
  readonly log: Log;
  readonly world: World;
}

/** A service: its name, its settings, and how it is built from them. */
export interface ServiceDefinition<Settings extends ServiceSettings> {
  readonly name: string;
  readonly settings: Settings;
  /** Throws if the service cannot start; the message is shown as it is, so it says how to mend it. */
  readonly build: (config: Read<Settings>, outside: Outside) => Promise<ServiceParts> | ServiceParts;
}

/** The time between being told to stop and the exit, at most. */
const STOP_MS_MAX = 10_000;
/** What of it is left to calls that are running; the rest is for closing what they needed. */
const CALLS_MS_MAX = 8_500;

/** Runs a service in this process, until it is told to stop. To be called by `main.ts`, once. */
export async function runService<Settings extends ServiceSettings & Readonly<Record<string, Setting<unknown>>>>(
  definition: ServiceDefinition<Settings>,
): Promise<void> {
  const { name } = definition;
  const stop = stopRequest();
  // Until it is up there is nothing to take down.
  stop.addEventListener("abort", exit);
  const { server, parts, log } = await start(definition).catch((error: unknown) => fail(name, error));
  stop.removeEventListener("abort", exit);
  process.stdout.write(`${JSON.stringify({ ready: name, port: server.port })}\n`);
  if (!stop.aborted) await new Promise((resolve) => stop.addEventListener("abort", resolve, { once: true }));
  await stopService(server, parts, log);
}

interface Running {
  readonly server: Server;
  readonly parts: ServiceParts;
  readonly log: Log;
}

async function start<Settings extends ServiceSettings & Readonly<Record<string, Setting<unknown>>>>({
  name,
  settings,
  build,
}: ServiceDefinition<Settings>): Promise<Running> {
  const config = readEnvironment(process.env, settings);
  const { host, port, logLevel }: Read<ServiceSettings> = config;
  const log = createLog({ name, level: logLevel });
  const world = systemWorld();
  exitOnUnhandled(log);
  const parts = await build(config, { log, world });
  const server = await serve({ ...parts, host, port, log, world });
  await parts.started?.({ port: server.port });
  await server.health.serving();
  return { server, parts, log };
}

async function stopService(server: Server, parts: ServiceParts, log: Log): Promise<void> {
  log.info("stopping");
  setTimeout(() => {
    log.error({ afterMs: STOP_MS_MAX }, "could not stop in time");
    process.exit(1);
  }, STOP_MS_MAX).unref();
  server.health.drain();
  await Promise.all([parts.draining?.(), server.close({ graceMs: CALLS_MS_MAX })]);
  await parts.stopped?.();
  log.info("stopped");
  process.exit(0);
}

/** Aborts when the process is told to stop, however often it is told. */
function stopRequest(): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  process.on("SIGTERM", abort).on("SIGINT", abort);
  process.once("disconnect", abort);
  // Gone already, before we could listen for it.
  if (process.send !== undefined && !process.connected) abort();
  return controller.signal;
}

function exitOnUnhandled(log: Log): void {
  const die = (error: unknown): void => {
    log.fatal({ err: error }, "unhandled failure");
    process.exit(1);
  };
  process.on("uncaughtException", die).on("unhandledRejection", die);
}

function exit(): never {
  process.exit(0);
}

function fail(name: string, error: unknown): never {
  const message = error instanceof Error && error.message !== "" ? error.message : String(error);
  process.stderr.write(`${name} cannot start: ${message.replaceAll(/\s*\n\s*/g, " ")}\n`);
  process.exit(1);
}
