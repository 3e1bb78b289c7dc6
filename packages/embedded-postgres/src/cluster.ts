// Where a cluster lives.
//
//   <directory>/data           the data folder, owned by the server's account
//   <directory>/password       the superuser's password, readable by us alone; ephemeral clusters have none
//   <directory>/postgres.log   what the server said since its last start; postgres.log.1 before that
//
// As root below a closed folder the server's account cannot enter <directory>: then the data folder lies in
// /var/lib/helix-zed, under a name derived from the directory.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { findBinaries, type Binaries } from "./binaries.ts";
import { failureOf } from "./run-as.ts";
import { serverAccount, type ServerAccount } from "./server-account.ts";
import { sharedFolder } from "./shared-folder.ts";

/** A place for one cluster, initialised or not. */
export interface Cluster {
  readonly directory: string;
  readonly dataFolder: string;
  readonly passwordFile: string;
  readonly logFile: string;
  readonly binaries: Binaries;
  readonly account: ServerAccount | undefined;
  /** A throw-away cluster: fast, not durable, and open to every local user. */
  readonly ephemeral: boolean;
}

/** The one role of a cluster. */
export const SUPERUSER = "helix_zed";

/** Lays out a cluster in `directory`, which is made if it is missing. */
export function openCluster(directory: string, ephemeral: boolean): Cluster {
  // The parents too get the usual mode: the server's account must be able to pass through them.
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const home = realpathSync(directory);
  const account = serverAccount();
  return {
    directory: home,
    dataFolder: chooseDataFolder(home, account),
    passwordFile: path.join(home, "password"),
    logFile: path.join(home, "postgres.log"),
    binaries: findBinaries(account),
    account,
    ephemeral,
  };
}

/** True when the data folder holds a cluster of this PostgreSQL; refuses one that it could not use. */
export function isInitialised({ dataFolder, binaries, account }: Cluster): boolean {
  const versionFile = path.join(dataFolder, "PG_VERSION");
  if (!existsSync(dataFolder)) return false;
  const owner = statSync(dataFolder).uid;
  if (owner !== (account?.uid ?? process.getuid?.() ?? owner))
    throw new Error(`${dataFolder} belongs to another account (user id ${owner}); start as the user who made it.`);
  if (!existsSync(versionFile)) throw new Error(`${dataFolder} is not a PostgreSQL data folder; move it away.`);
  const version = readFileSync(versionFile, "utf8").trim();
  if (version === binaries.majorVersion) return true;
  throw new Error(`${dataFolder} was made by PostgreSQL ${version}; this is ${binaries.majorVersion}. Move it away.`);
}

function chooseDataFolder(directory: string, account?: ServerAccount): string {
  const inside = path.join(directory, "data");
  if (account === undefined || existsSync(inside) || canEnter(directory, account)) return inside;
  const name = createHash("sha256").update(directory).digest("hex").slice(0, 12);
  const outside = path.join(sharedFolder(), `data-${name}`);
  mkdirSync(outside, { recursive: true, mode: 0o755 });
  return path.join(outside, "data");
}

function canEnter(folder: string, account: ServerAccount): boolean {
  return failureOf("/bin/sh", ["-c", 'test -x "$0"', folder], account) === undefined;
}
