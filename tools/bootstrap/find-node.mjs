import { spawnSync } from "node:child_process";
import path from "node:path";

const NODE_MAJOR_MIN = 24;

/** The Node to run under: the one that the lockfile pins, or this one where that has no build and this is new enough. */
export function findNode(bin) {
  const pinned = path.join(bin, "node");
  if (majorVersion(pinned) >= NODE_MAJOR_MIN) return pinned;
  if (majorVersion(process.execPath) >= NODE_MAJOR_MIN) return process.execPath;
  const here = `${process.platform}-${process.arch}`;
  throw new Error(
    `Node ${NODE_MAJOR_MIN} or newer is needed: this is ${process.version}, and npm has no Node for ${here} that runs.`,
  );
}

/** NaN when it cannot be run: it is missing, or made for another C library. */
function majorVersion(node) {
  const { status, stdout } = spawnSync(node, ["-p", "process.versions.node"], { encoding: "utf8" });
  return status === 0 ? Number.parseInt(stdout, 10) : Number.NaN;
}
