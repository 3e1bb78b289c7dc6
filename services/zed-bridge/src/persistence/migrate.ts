import { migrate } from "@helix-zed/persistence";
import { threads } from "./migrations/0001-threads.ts";
import { permissionRequests } from "./migrations/0002-permission-requests.ts";
import { externalInstances } from "./migrations/0003-external-instances.ts";
import { agentsAsUsers } from "./migrations/0004-agents-as-users.ts";
import { reconciling } from "./migrations/0005-reconciling.ts";
import { workspaces } from "./migrations/0006-workspaces.ts";

const migrations = [threads, permissionRequests, externalInstances, agentsAsUsers, reconciling, workspaces];

/** Their names. */
export const migrationNames: readonly string[] = migrations.map(({ name }) => name);

/** Brings the bridge's database up to date and gives the names of the migrations that were missing. */
export function migrateBridge(url: string): Promise<string[]> {
  return migrate({ url, applicationName: "zed-bridge", migrations });
}
