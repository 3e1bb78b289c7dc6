import { readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import type { World } from "@helix-zed/domain";
import { identify, isAlive } from "./launcher/process-identity.ts";

/** A data folder that this process has to itself. */
export interface HeldDataFolder {
  /** Lets another bridge have it. */
  release(): Promise<void>;
}

/**
 * Takes the data folder for this process. Throws if another bridge has it: two would start and stop the same processes
 * under the same name. A bridge that was killed has it no longer.
 */
export async function holdDataFolder(folder: string): Promise<HeldDataFolder> {
  const file = path.join(folder, "bridge.pid");
  const holder = parseHolder(await readFile(file, "utf8").catch(() => ""));
  if (holder !== null && holder.pid !== process.pid && (await isAlive(holder))) {
    throw new Error(`another zed-bridge (process ${holder.pid}) uses ${folder}. Stop it or set HELIX_ZED_DATA_DIR`);
  }
  const own = await identify(process.pid);
  await writeFile(file, `${process.pid} ${own?.startedAt}\n`, { mode: 0o600 });
  return { release: () => rm(file, { force: true }) };
}

/** The name of the bridge of this data folder: made at its first start, the same ever after, and nobody else's. */
export async function runnerNameIn(folder: string, world: Pick<World, "newId">): Promise<string> {
  const file = path.join(folder, "runner-name");
  const known = (await readFile(file, "utf8").catch(() => "")).trim();
  if (known !== "") return known;
  const name = `${hostname()}-${world.newId("bridge")}`;
  await writeFile(file, `${name}\n`, { mode: 0o600 });
  return name;
}

function parseHolder(text: string): { pid: number; startedAt: string } | null {
  const [, pid, startedAt] = /^(\d+) (.+)$/m.exec(text) ?? [];
  return pid === undefined || startedAt === undefined ? null : { pid: Number(pid), startedAt };
}
