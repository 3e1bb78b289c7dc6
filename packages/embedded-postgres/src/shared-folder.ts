import { lstatSync, mkdirSync } from "node:fs";
import path from "node:path";

const PLACES = ["/var/lib", "/var/tmp"];

/**
 * A folder outside of the checkout, for root only: the server's account can enter it where the checkout lies below a
 * closed folder such as /root.
 */
export function sharedFolder(): string {
  for (const place of PLACES) {
    const folder = path.join(place, "helix-zed");
    if (makeFolder(folder) && isOursAlone(folder)) return folder;
  }
  throw new Error(`None of ${PLACES.join(", ")} can hold the folder helix-zed, which PostgreSQL needs here.`);
}

function makeFolder(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    return true;
  } catch {
    return false;
  }
}

/** Whoever may write here chooses which program the server's account runs: so nobody else may. */
function isOursAlone(folder: string): boolean {
  const { mode, uid } = lstatSync(folder);
  return lstatSync(folder).isDirectory() && uid === process.getuid?.() && (mode & 0o022) === 0;
}
