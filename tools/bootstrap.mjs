// node tools/bootstrap.mjs <file.ts | program> [arguments]
//
// Runs a command of this repository on any machine that has some Node: installs what the lockfile says where that is
// not installed yet, then starts the command under the pinned Node. `npm start`, `npm test` and `npm run demo` come
// through here. Plain JavaScript without dependencies, because it runs before there are any.

import path from "node:path";
import { fileURLToPath } from "node:url";
import { checkMachine } from "./bootstrap/check-machine.mjs";
import { installDependencies } from "./bootstrap/install-dependencies.mjs";
import { runAttached } from "./bootstrap/run-attached.mjs";
import { findNode } from "./bootstrap/find-node.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const bin = path.join(root, "node_modules", ".bin");

async function main([target, ...args]) {
  checkMachine();
  await installDependencies(root);
  const node = findNode(bin);
  // The pinned Node comes first on PATH: whatever the command starts finds it too.
  const PATH = [path.dirname(node), bin, process.env.PATH].join(path.delimiter);
  const isScript = target.endsWith(".ts");
  return runAttached(isScript ? node : path.join(bin, target), isScript ? [target, ...args] : args, {
    cwd: root,
    env: { ...process.env, PATH },
    // The fourth channel closes when we die, and the command notices.
    stdio: isScript ? ["inherit", "inherit", "inherit", "ipc"] : "inherit",
  });
}

try {
  if (process.argv.length < 3) throw new Error("Usage: node tools/bootstrap.mjs <file.ts | program> [arguments]");
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
