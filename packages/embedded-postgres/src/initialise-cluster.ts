import { randomBytes } from "node:crypto";
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { isInitialised, SUPERUSER, type Cluster } from "./cluster.ts";
import { failureOf } from "./run-as.ts";

/**
 * Makes the cluster if there is none yet. It grows under another name and is renamed when it is whole: initdb that
 * was killed half-way leaves a folder that looks like a cluster and is none.
 */
export function initialiseCluster(cluster: Cluster): void {
  if (isInitialised(cluster)) return;
  const work = path.join(path.dirname(cluster.dataFolder), "initialising");
  rmSync(work, { recursive: true, force: true });
  makeServerFolder(work, cluster);
  const failure = failureOf(cluster.binaries.initdb, initdbArguments(cluster, work), cluster.account);
  if (failure !== undefined) throw new Error(`PostgreSQL could not make a cluster in ${work}: ${failure}`);
  renameSync(path.join(work, "data"), cluster.dataFolder);
  rmSync(work, { recursive: true, force: true });
}

/** The superuser's password: made at the first call, kept in the cluster's folder; undefined for an ephemeral one. */
export function clusterPassword(cluster: Cluster): string | undefined {
  if (cluster.ephemeral) return undefined;
  if (existsSync(cluster.passwordFile)) return readFileSync(cluster.passwordFile, "utf8").trim();
  if (existsSync(cluster.dataFolder))
    throw new Error(`${cluster.passwordFile} is missing; without it nobody can open the cluster beside it.`);
  const password = randomBytes(24).toString("base64url");
  writeFileSync(cluster.passwordFile, `${password}\n`, { mode: 0o600 });
  return password;
}

function makeServerFolder(folder: string, { account }: Cluster): void {
  mkdirSync(folder, { mode: 0o700 });
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
}

function initdbArguments(cluster: Cluster, work: string): string[] {
  const locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"];
  return [
    `--pgdata=${path.join(work, "data")}`,
    `--username=${SUPERUSER}`,
    ...locale,
    ...(cluster.ephemeral ? ["--auth=trust", "--no-sync"] : scramArguments(cluster, work)),
  ];
}

/** initdb reads the password from a file, as the server's account: it gets a copy, which goes with the work folder. */
function scramArguments(cluster: Cluster, work: string): string[] {
  const copy = path.join(work, "password");
  writeFileSync(copy, readFileSync(cluster.passwordFile), { mode: 0o600 });
  if (cluster.account !== undefined) chownSync(copy, cluster.account.uid, cluster.account.gid);
  return ["--auth=scram-sha-256", `--pwfile=${copy}`];
}
