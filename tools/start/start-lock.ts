import { processIdentity } from "@helix-zed/embedded-postgres";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/**
 * Makes this process the only one that works in the folder, until the returned function is called. The lock of a
 * process that is no more does not count, even if its process id belongs to another one by now.
 */
export function lockDataFolder(folder: string): () => void {
  const file = path.join(folder, "start.lock");
  for (let attempt = 0; !create(file); attempt++) {
    const holder = liveHolder(file);
    if (holder !== undefined)
      throw new Error(`Helix-Zed is already running in ${folder} (process ${holder}); stop that one first.`);
    if (attempt > 0) throw new Error(`Another start was quicker in ${folder}.`);
    rmSync(file, { force: true });
  }
  return () => rmSync(file, { force: true });
}

function create(file: string): boolean {
  try {
    writeFileSync(file, `${process.pid} ${processIdentity(process.pid) ?? ""}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

function liveHolder(file: string): number | undefined {
  const [pid = "", identity = ""] = readText(file).trim().split(" ");
  return pid !== "" && processIdentity(Number(pid)) === identity ? Number(pid) : undefined;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
