import { type Actor, systemWorld } from "@helix-zed/domain";
import { Pool } from "pg";
import type { App } from "../../../services/task-service/src/application/app.ts";
import { defaultLimits } from "../../../services/task-service/src/domain/limits.ts";
import { Database } from "../../../services/task-service/src/persistence/database.ts";
import { say } from "./report.ts";

/** Connections of each side of a comparison: as many as the service has. */
export const CONNECTIONS = 16;

/** Who asks. */
export const ada: Actor = { kind: "user", userId: "ada" };

/** Who has little. */
export const bob: Actor = { kind: "user", userId: "bob" };

/** Lets `work` have the use cases of task-service in this process. */
export async function withApp(url: string, work: (app: App) => Promise<void>): Promise<void> {
  const world = systemWorld();
  const database = await Database.open({ url, world, watchPollMs: defaultLimits.watchPollMs, warn: say });
  try {
    await work({ database, world, limits: defaultLimits, agentTypes: ["zed_agent", "simple"] });
  } finally {
    await database.close();
  }
}

/** Lets `work` have connections that know nothing of the service. */
export async function withPool(url: string, work: (pool: Pool) => Promise<void>): Promise<void> {
  const pool = new Pool({ connectionString: url, max: CONNECTIONS });
  // The server is stopped before the last of its connections is.
  pool.on("error", () => {});
  try {
    await work(pool);
  } finally {
    await pool.end();
  }
}
