// PostgreSQL as a child process, from the binaries that npm installed.
//
// One directory holds one cluster. Starting it makes the cluster if there is none, starts a server for it, and binds
// the server's life to ours: it stops when `stop` is called, and also when this process dies, whatever killed it.
// Should a server of this cluster be running nevertheless, it is adopted instead of starting a second one.
//
// The server listens on the loopback interface only. A durable cluster asks for a password (SCRAM), which is kept in
// the directory for us alone; an ephemeral one lets every local user in and does not survive a crash of the machine.

import { clusterPassword, initialiseCluster } from "./initialise-cluster.ts";
import { openCluster, SUPERUSER, type Cluster } from "./cluster.ts";
import { findRunningServer } from "./find-running-server.ts";
import { launchServer } from "./launch-server.ts";
import { isServerAlive, type Postmaster } from "./postmaster-file.ts";
import { untilGone, stopServer, stopServerAfterUs } from "./stop-server.ts";

/** How to start a cluster. */
export interface PostgresOptions {
  /** The folder that holds the cluster; made if it is missing. */
  readonly directory: string;
  /** The TCP port on 127.0.0.1; a free one when it is 0 or left out. */
  readonly port?: number;
  /** A throw-away cluster, for tests: no password, no durability. */
  readonly ephemeral?: boolean;
}

/** A server that accepts connections. */
export interface RunningPostgres {
  /** The server's URL with credentials and without a database: see `withDatabase`. */
  readonly url: string;
  /** Where the data lies; below `directory` unless the server's account cannot enter that. */
  readonly dataFolder: string;
  /** True when the server was running already, left behind by a process that was killed. */
  readonly adopted: boolean;
  /** What the server said since its last start. */
  readonly logFile: string;
  /** False once the server's process is gone. */
  isAlive(): boolean;
  /** Resolves soon after the server's process is gone, whatever ended it. */
  readonly exited: Promise<void>;
  /** Stops the server, an adopted one too, and answers when it is gone; safe to repeat. */
  stop(): Promise<void>;
}

/** Starts the cluster in a directory. Every failure is an Error whose message is one line. */
export async function startPostgres({
  directory,
  port = 0,
  ephemeral = false,
}: PostgresOptions): Promise<RunningPostgres> {
  const cluster = openCluster(directory, ephemeral);
  const password = clusterPassword(cluster);
  const urlOf = (at: number): string => serverUrl(at, password);
  const found = await findRunningServer(cluster, urlOf);
  if (found !== undefined) return running(cluster, { postmaster: found, url: urlOf(found.port), adopted: true });
  initialiseCluster(cluster);
  const postmaster = await launchServer(cluster, port);
  return running(cluster, { postmaster, url: urlOf(postmaster.port), adopted: false });
}

function serverUrl(port: number, password: string | undefined): string {
  const credentials = password === undefined ? SUPERUSER : `${SUPERUSER}:${password}`;
  return `postgresql://${credentials}@127.0.0.1:${port}`;
}

function running(
  { dataFolder, logFile, account, ephemeral }: Cluster,
  { postmaster: { pid }, url, adopted }: { postmaster: Postmaster; url: string; adopted: boolean },
): RunningPostgres {
  const watchdog = stopServerAfterUs(pid, account);
  let stopped: Promise<void> | undefined;
  return {
    url,
    dataFolder,
    adopted,
    logFile,
    exited: untilGone(pid),
    isAlive: () => isServerAlive(pid),
    stop: () => (stopped ??= stopServer(pid, ephemeral).finally(() => watchdog.kill())),
  };
}
