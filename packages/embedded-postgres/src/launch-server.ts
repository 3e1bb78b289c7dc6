import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, renameSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Cluster } from "./cluster.ts";
import { readPostmaster, removeStalePostmasterFile, type Postmaster } from "./postmaster-file.ts";
import { credentials, SERVER_ENVIRONMENT } from "./run-as.ts";

const POLL_MS = 10;
/** Long, because a server that was killed replays its log before it is ready. */
const START_TIMEOUT_MS = 60_000;
const PORT_ATTEMPTS = 3;

/** Starts the server and waits until it accepts connections. With port 0 it takes a free one. */
export async function launchServer(cluster: Cluster, port: number): Promise<Postmaster> {
  removeStalePostmasterFile(cluster.dataFolder);
  for (let attempt = 1; ; attempt++) {
    const server = spawnServer(cluster, port === 0 ? await freePort() : port);
    const postmaster = await untilReady(cluster, server);
    if (postmaster !== undefined) return postmaster;
    const reason = lastWords(cluster.logFile);
    // Between finding a free port and binding it another process may have taken it.
    const isPortTaken = reason.includes("could not create any TCP/IP sockets");
    if (port !== 0 && isPortTaken) throw new Error(`PostgreSQL did not start: port ${port} is in use.`);
    if (!isPortTaken || attempt === PORT_ATTEMPTS)
      throw new Error(`PostgreSQL did not start: ${reason} (see ${cluster.logFile})`);
  }
}

function spawnServer(cluster: Cluster, port: number): ChildProcess {
  if (existsSync(cluster.logFile)) renameSync(cluster.logFile, `${cluster.logFile}.1`);
  const log = openSync(cluster.logFile, "a", 0o600);
  try {
    const server = spawn(cluster.binaries.postgres, serverArguments(cluster, port), {
      ...credentials(cluster.account),
      cwd: cluster.dataFolder,
      env: SERVER_ENVIRONMENT,
      // Its own session: Ctrl-C in a terminal reaches us alone, and we stop the server last.
      detached: true,
      stdio: ["ignore", log, log],
    });
    server.unref();
    return server;
  } finally {
    closeSync(log);
  }
}

function serverArguments({ dataFolder, ephemeral }: Cluster, port: number): string[] {
  const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200"];
  if (ephemeral) settings.push("fsync=off", "synchronous_commit=off", "full_page_writes=off");
  return ["-D", dataFolder, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])];
}

/** Undefined when the server ended instead. */
async function untilReady(cluster: Cluster, server: ChildProcess): Promise<Postmaster | undefined> {
  let failure: Error | undefined;
  server.once("error", (error) => (failure = error));
  for (let waitedMs = 0; waitedMs < START_TIMEOUT_MS; waitedMs += POLL_MS) {
    await delay(POLL_MS);
    if (failure !== undefined) throw new Error(`PostgreSQL did not start: ${failure.message}`);
    if (server.exitCode !== null || server.signalCode !== null) return undefined;
    const postmaster = readPostmaster(cluster.dataFolder);
    if (postmaster?.pid === server.pid && postmaster?.status === "ready") return postmaster;
  }
  server.kill("SIGQUIT");
  throw new Error(`PostgreSQL was not ready within ${START_TIMEOUT_MS / 1000} s (see ${cluster.logFile})`);
}

/** The line that says why the server ended. */
function lastWords(logFile: string): string {
  const lines = readFileSync(logFile, "utf8").trim().split("\n");
  // Before its log is set up the server writes plain text, of several lines.
  const fatal = lines.findLast((line) => /\b(FATAL|PANIC):/.test(line)) ?? lines.slice(-3).join(" ");
  return fatal.replace(/^.*?(FATAL|PANIC):\s*/, "") || "it ended without a word";
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => probe.once("error", reject).listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new Error("A TCP listener has no port.");
  return address.port;
}
