import { startPostgres } from "@helix-zed/embedded-postgres";
import { rmSync } from "node:fs";
import path from "node:path";
import type { TestProject } from "vitest/node";
import { makeScratchFolder } from "./scratch-folder.ts";

declare module "vitest" {
  /** What every test file can `inject`. */
  export interface ProvidedContext {
    /** The run's own PostgreSQL: a URL with credentials and without a database. */
    postgresUrl: string;
  }
}

/** Gives the whole run one throw-away PostgreSQL cluster; tests take databases in it from `freshDatabase`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = makeScratchFolder();
  const postgres = await startPostgres({ directory: path.join(folder, "postgres"), ephemeral: true });
  project.provide("postgresUrl", postgres.url);
  return async () => {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}
