import { type Outside, type Read, runService, type ServiceParts, tokenAuthenticator } from "@helix-zed/server";
import type { App } from "./application/app.ts";
import { sweepLeases } from "./application/sweep-leases.ts";
import { settings } from "./config.ts";
import { defaultLimits } from "./domain/limits.ts";
import { Database } from "./persistence/database.ts";
import { migrateTaskService } from "./persistence/migrate.ts";
import { reasonCodes } from "./transport/reason-codes.ts";
import { taskRoutes } from "./transport/task-routes.ts";

await runService({ name: "task-service", settings, build });

async function build(config: Read<typeof settings>, { log, world }: Outside): Promise<ServiceParts> {
  const { databaseUrl: url, agentTypes, leaseMs, tokens } = config;
  const sweepIntervalMs = Math.min(defaultLimits.sweepIntervalMs, leaseMs / 2);
  const limits = { ...defaultLimits, leaseMs, sweepIntervalMs };
  const warn = (message: string): void => log.warn(message);
  await migrateTaskService(url);
  const database = await Database.open({ ...limits, url, world, warn });
  const app: App = { database, world, limits, agentTypes };
  const stop = new AbortController();
  let sweeper: Promise<void> | undefined;
  return {
    routes: taskRoutes(app),
    authenticate: tokenAuthenticator(tokens),
    codes: reasonCodes,
    checks: { database: () => database.check() },
    started: () => {
      sweeper = sweepLeases(app, stop.signal, {
        swept: (count) => log.warn({ count }, "leases expired"),
        failed: (error) => log.error({ err: error }, "leases could not be swept"),
      });
    },
    draining: () => stop.abort(),
    stopped: async () => {
      await sweeper;
      await database.close();
    },
  };
}
