import { findProgram } from "./find-program.mjs";

const NODE_MAJOR_MIN = 18;
const PLATFORMS = ["linux", "darwin"];

/** Throws, in one line, what this machine lacks. */
export function checkMachine() {
  if (!PLATFORMS.includes(process.platform))
    throw new Error(`Helix-Zed runs on Linux and macOS, not on ${process.platform}; on Windows use WSL.`);
  if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN)
    throw new Error(`Helix-Zed needs Node ${NODE_MAJOR_MIN} or newer to set itself up; this is ${process.version}.`);
  if (findProgram("git") === undefined)
    throw new Error("git is missing: install it (for example `apt-get install git`) and try again.");
}
