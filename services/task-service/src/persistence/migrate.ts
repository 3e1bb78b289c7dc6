import { migrate } from "@helix-zed/persistence";
import { tasks } from "./migrations/0001-tasks.ts";
import { changeLog } from "./migrations/0002-change-log.ts";
import { rowSecurity } from "./migrations/0003-row-security.ts";
import { filters } from "./migrations/0004-filters.ts";
import { logRetention } from "./migrations/0005-log-retention.ts";
import { plans } from "./migrations/0006-plans.ts";
import { orders } from "./migrations/0007-orders.ts";

/** All steps of the schema's history, oldest first. A step that was released is never changed. */
export const migrations = [tasks, changeLog, rowSecurity, filters, logRetention, plans, orders] as const;

/** Their names. */
export const migrationNames: readonly string[] = migrations.map(({ name }) => name);

/** Brings the database of the task-service up to date. Any number of processes may do so at once. */
export async function migrateTaskService(url: string): Promise<void> {
  await migrate({ url, applicationName: "task-service migrations", migrations, rowSecurity: true });
}
