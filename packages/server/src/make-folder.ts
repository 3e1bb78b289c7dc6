import { existsSync, mkdirSync, statSync } from "node:fs";
import path from "node:path";

/**
 * Makes a folder, and those above it that are missing; fine if it is there. Throws what the system says.
 *
 * `mkdirSync` with `recursive` tries for ever where the system denies that the folder above exists, as it does for all
 * that one might make below /proc.
 */
export function makeFolder(folder: string, mode?: number): void {
  const above = path.dirname(folder);
  if (above !== folder && !existsSync(above)) makeFolder(above, mode);
  try {
    mkdirSync(folder, mode === undefined ? {} : { mode });
  } catch (error) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}
