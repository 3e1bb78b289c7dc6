import { type Outside, type Read, runService, type ServiceParts, openAuthentication } from "@helix-zed/server";
import type { App } from "./application/app.ts";
import { compactLog } from "./application/compact-log.ts";
import { sweepRequests } from "./application/forget-requests.ts";
import { sweepLeases } from "./application/sweep-leases.ts";
import { settings } from "./config.ts";
import { defaultLimits } from "./domain/limits.ts";
import { Database } from "./persistence/database.ts";
import { migrateTaskService } from "./persistence/migrate.ts";
import { furtherChecks } from "./transport/further-checks.ts";
import { reasonCodes } from "./transport/reason-codes.ts";
import { taskRoutes } from "./transport/task-routes.ts";

await runService({ name: "task-service", settings, build });

async function build(config: Read<typeof settings>, { log, world }: Outside): Promise<ServiceParts> {
  const { databaseUrl: url, agentTypes } = config;
  const limits = { ...defaultLimits, ...limitsIn(config) };
  const warn = (message: string): void => log.warn(message);
  await migrateTaskService(url);
  const database = await Database.open({ ...limits, url, world, warn });
  const authentication = openAuthentication(config, { log, world });
  const app: App = { database, world, limits, agentTypes };
  const stop = new AbortController();
  let sweepers: readonly Promise<void>[] = [];
  return {
    routes: taskRoutes(app),
    furtherChecks: furtherChecks(app),
    authenticate: authentication.authenticate,
    codes: reasonCodes,
    checks: { database: () => database.check() },
    started: () => {
      const leases = sweepLeases(app, stop.signal, {
        swept: (count) => log.warn({ count }, "leases expired"),
        failed: (error) => log.error({ err: error }, "leases could not be swept"),
      });
      const requests = sweepRequests(app, stop.signal, (error) =>
        log.error({ err: error }, "old request ids could not be forgotten"),
      );
      const changes = compactLog(app, stop.signal, {
        failed: (error) => log.error({ err: error }, "the change log could not be compacted"),
      });
      sweepers = [leases, requests, changes];
    },
    draining: () => stop.abort(),
    stopped: async () => {
      await Promise.all(sweepers);
      await authentication.close();
      await database.close();
    },
  };
}

function limitsIn(config: Read<typeof settings>) {
  const { leaseMs, watchesPerActorMax, requestRetentionMs, logRetentionMs, logRetentionChanges } = config;
  const sweepIntervalMs = Math.min(defaultLimits.sweepIntervalMs, leaseMs / 2);
  return { leaseMs, sweepIntervalMs, watchesPerActorMax, requestRetentionMs, logRetentionMs, logRetentionChanges };
}
