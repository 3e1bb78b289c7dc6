// What is installed is known by a stamp in node_modules: a digest of all that decides what an install does. It is
// taken away before an install and written after it, so an install that was killed never counts. And because pnpm
// takes a half-made node_modules for a whole one where only its own notes are complete, one that was left by a killed
// install is made anew; the packages themselves are in pnpm's store by then.

import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { findProgram } from "./find-program.mjs";
import { Interrupted, withInstallLock } from "./install-lock.mjs";
import { runAttached } from "./run-attached.mjs";

const PNPM_VERSION = "12.4.2";
const PNPM_MAJOR_MIN = 10;
// Nobody is asked whether to replace a node_modules that pnpm cannot use: nobody may be there to answer.
const INSTALL = ["install", "--frozen-lockfile", "--config.confirmModulesPurge=false"];
const INPUTS = ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"];

/** Installs the dependencies unless exactly they are installed. */
export async function installDependencies(root) {
  if (isInstalled(root)) return;
  checkWritable(root);
  await withInstallLock(path.join(root, ".data", "install.lock"), async (wasUnfinished, waitFor) => {
    if (isInstalled(root)) return;
    if (wasUnfinished) discard(root);
    await install(root, waitFor);
  });
}

function isInstalled(root) {
  return existsSync(stampFile(root)) && readFileSync(stampFile(root), "utf8") === digest(root);
}

/** The place counts, because programs in node_modules hold absolute paths, and the platform, because of its builds. */
function digest(root) {
  const hash = createHash("sha256").update([root, process.platform, process.arch].join("\n"));
  for (const input of INPUTS) hash.update(`\n${input}\n`).update(readFileSync(path.join(root, input)));
  return hash.digest("hex");
}

function stampFile(root) {
  return path.join(root, "node_modules", ".installed");
}

function checkWritable(root) {
  try {
    accessSync(root, constants.W_OK);
  } catch {
    throw new Error(`${root} cannot be written, and the dependencies have to be installed there.`);
  }
}

function discard(root) {
  process.stderr.write("The last install did not finish: starting over.\n");
  rmSync(path.join(root, "node_modules"), { recursive: true, force: true });
}

async function install(root, onStart) {
  const [program, ...args] = pnpmCommand();
  process.stderr.write("Installing the dependencies; the first time this takes up to a minute.\n");
  rmSync(stampFile(root), { force: true });
  const exitCode = await runAttached(program, [...args, ...INSTALL], {
    cwd: root,
    // npx would tell of newer versions of npm.
    env: { ...process.env, npm_config_update_notifier: "false" },
    // All that pnpm says goes to stderr: stdout belongs to the command.
    stdio: ["ignore", 2, 2],
    detached: true,
    onStart,
  });
  if (exitCode > 128) throw new Interrupted("Installing the dependencies was interrupted; the next start repeats it.");
  if (exitCode !== 0) throw new Error(`Installing the dependencies failed (${exitCode}); pnpm says why above.`);
  writeFileSync(stampFile(root), digest(root));
}

/** The pnpm that runs us, else the one that npx fetches, else the one on the machine. */
function pnpmCommand() {
  const runner = /^pnpm\/(\d+)/.exec(process.env.npm_config_user_agent ?? "");
  const pnpm = findProgram("pnpm");
  if (pnpm !== undefined && runner !== null && Number(runner[1]) >= PNPM_MAJOR_MIN) return [pnpm];
  const npx = findProgram("npx");
  if (npx !== undefined) return [npx, "-y", `pnpm@${PNPM_VERSION}`];
  if (pnpm !== undefined) return [pnpm];
  throw new Error("npx is missing: install npm (for example `apt-get install npm`) or pnpm, and try again.");
}
