import { systemWorld } from "@helix-zed/domain";
import type { App } from "../application/app.ts";
import { defaultLimits } from "../domain/limits.ts";
import { Database } from "../persistence/database.ts";

/** The name of the bridge in tests. */
export const runner = "bridge-under-test";

/** Opens use cases on a database that is there, as a bridge does that was restarted. */
export async function openApp(databaseUrl: string, parts: Partial<App> = {}): Promise<App> {
  return {
    database: parts.database ?? (await Database.open({ url: databaseUrl, connectionsMax: 8 })),
    world: systemWorld(),
    limits: defaultLimits,
    agents: new Map([["zed_agent", { wireName: "zed-agent" }]]),
    roots: ["/"],
    launchTarget: "acp-host",
    workSessions: { find: async () => null },
    permissionPolicy: null,
    tasks: { find: async () => null },
    mcpUrl: () => null,
    secrets: [],
    ...parts,
  };
}
