import { execFile } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

const CACHE = path.resolve(import.meta.dirname, "..", "..", "node_modules", ".cache", "agents");
const INSTALL_TIMEOUT_MS = 600_000;

/**
 * Installs this version of a package from npm into a folder beside the project's own packages, unless it is there, and
 * gives the folder of its commands.
 */
export async function installAgent(name: string, version: string): Promise<string> {
  const folder = path.join(CACHE, `${name.replaceAll("/", "+")}@${version}`);
  const complete = path.join(folder, "complete");
  if (!existsSync(complete)) {
    mkdirSync(folder, { recursive: true });
    const options = ["--prefix", folder, "--no-audit", "--no-fund", "--no-package-lock", "--save-exact"];
    const settings = { cwd: folder, timeout: INSTALL_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 };
    await promisify(execFile)("npm", ["install", ...options, `${name}@${version}`], settings);
    writeFileSync(complete, "");
  }
  return path.join(folder, "node_modules", ".bin");
}
