import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ensureDatabase, startPostgres } from "@helix-zed/embedded-postgres";
import { migrateTaskService } from "@helix-zed/task-service/migrate";
import { clockOfFamily, type CpuClock } from "./cpu-clock.ts";

/** Where a measurement may work. */
export interface LoadDatabase {
  /** Of a migrated database of task-service, on a server of its own whose commits are durable. */
  readonly url: string;
  /** For other files; gone afterwards. */
  readonly folder: string;
  /** Of the server and all its processes. */
  readonly cpuUs: CpuClock;
}

/** Lets `work` have a database of its own, and removes it. */
export async function withLoadDatabase(work: (database: LoadDatabase) => Promise<void>): Promise<void> {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "helix-zed-load-")));
  const postgres = await startPostgres({ directory: path.join(folder, "postgres") });
  try {
    const url = await ensureDatabase(postgres.url, "load");
    await migrateTaskService(url);
    const [pid] = readFileSync(path.join(postgres.dataFolder, "postmaster.pid"), "utf8").split("\n");
    await work({ url, folder, cpuUs: clockOfFamily(Number(pid)) });
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One more database on the same server. */
export async function furtherDatabase({ url }: LoadDatabase, name: string): Promise<string> {
  const server = new URL(url);
  server.pathname = "";
  const further = await ensureDatabase(server.href, name);
  await migrateTaskService(further);
  return further;
}
