import { ensureDatabase, startPostgres, type RunningPostgres } from "@helix-zed/embedded-postgres";
import path from "node:path";
import type { StartSettings } from "./start-settings.ts";
import { Supervisor, type Running, type Supervision } from "./supervise.ts";

/** One database for each service, on a server that accepts connections. */
export interface Databases {
  readonly taskUrl: string;
  readonly bridgeUrl: string;
  /** For people: where the data is. */
  readonly description: string;
  /** The server that was started for them, if any. */
  readonly postgres: RunningPostgres | undefined;
}

const TASK_DATABASE = "helix_zed_task";
const BRIDGE_DATABASE = "helix_zed_bridge";

/** Finds or makes the databases: those that are given, else on the server that is given, else on one of our own. */
export async function provideDatabases(settings: StartSettings): Promise<Databases> {
  const { taskDatabase, bridgeDatabase, databaseServer } = settings;
  if (taskDatabase !== null && bridgeDatabase !== null)
    return { taskUrl: taskDatabase, bridgeUrl: bridgeDatabase, description: "as configured", postgres: undefined };
  const postgres = databaseServer === null ? await startEmbedded(settings) : undefined;
  const server = databaseServer ?? postgres?.url ?? "";
  try {
    const taskUrl = taskDatabase ?? (await ensureDatabase(server, TASK_DATABASE));
    const bridgeUrl = bridgeDatabase ?? (await ensureDatabase(server, BRIDGE_DATABASE));
    const description = postgres === undefined ? `on ${new URL(server).host}` : `PostgreSQL in ${postgres.dataFolder}`;
    return { taskUrl, bridgeUrl, description, postgres };
  } catch (error) {
    await postgres?.stop();
    throw error;
  }
}

/** Keeps the server running, at the port that the services know. */
export function supervisedPostgres(
  postgres: RunningPostgres,
  settings: StartSettings,
  told: Pick<Supervision, "report" | "giveUp">,
): Supervisor {
  const port = Number(new URL(postgres.url).port);
  return new Supervisor(asRunning(postgres), {
    ...told,
    name: "database",
    restart: async () => asRunning(await startEmbedded(settings, port)),
  });
}

function startEmbedded({ dataFolder }: StartSettings, port = 0): Promise<RunningPostgres> {
  return startPostgres({ directory: path.join(dataFolder, "postgres"), port });
}

function asRunning(postgres: RunningPostgres): Running {
  return {
    exited: postgres.exited,
    lastWords: () => `see ${postgres.logFile}`,
    stop: () => postgres.stop(),
  };
}
