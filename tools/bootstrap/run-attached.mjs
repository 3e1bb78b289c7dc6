import { spawn } from "node:child_process";
import os from "node:os";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
const PARENT_CHECK_MS = 500;

/**
 * Runs a program until it ends and answers its exit code as a shell counts it. It gets the signals that we get, and
 * SIGTERM when our parent is gone: npm ends on a signal without passing it on. With `detached` a signal goes to
 * everything that the program started, too. `onStart` gets the process id.
 */
export function runAttached(program, args, { onStart, ...options }) {
  const send = (signal) => signalChild(child, signal, options.detached === true);
  // Before the child is there: a signal that comes while it is started is heard right after, and must not end us alone.
  for (const signal of SIGNALS) process.on(signal, send);
  const child = spawn(program, args, options);
  if (child.pid !== undefined) onStart?.(child.pid);
  const parent = process.ppid;
  const watch = setInterval(() => process.ppid !== parent && send("SIGTERM"), PARENT_CHECK_MS);
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`${program} cannot be run: ${error.message}`)));
    child.once("exit", (code, signal) => resolve(code ?? 128 + os.constants.signals[signal]));
  }).finally(() => {
    clearInterval(watch);
    for (const signal of SIGNALS) process.off(signal, send);
  });
}

function signalChild(child, signal, isGroup) {
  try {
    if (isGroup) process.kill(-child.pid, signal);
    else child.kill(signal);
  } catch {
    // It ended in this moment.
  }
}
