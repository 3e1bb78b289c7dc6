import { migrate } from "@helix-zed/persistence";
import { threads } from "./migrations/0001-threads.ts";

/** Brings the bridge's database up to date and gives the names of the migrations that were missing. */
export function migrateBridge(url: string): Promise<string[]> {
  return migrate({ url, applicationName: "zed-bridge", migrations: [threads] });
}
