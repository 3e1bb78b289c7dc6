// The gate: no process before it is written down
//
// Between starting a process and recording its pid the bridge may be killed. The process would then run on with nobody
// knowing of it, beside the one that the next bridge starts. So what the bridge starts first is this gate: it waits for
// one byte on descriptor 3, and then becomes the real program by exec, with the same pid, environment and group.
//
//   bridge: start the gate ──▶ record its pid ──▶ send the byte
//   gate:   wait … byte ──▶ exec the program         (recorded: the next bridge adopts it)
//           wait … end of file ──▶ exit              (the bridge is gone, or changed its mind: nothing was done)
//
// Run as: node gate.ts PROGRAM [ARGUMENT…]; PROGRAM is an absolute path.
import { accessSync, closeSync, constants, readSync, writeSync } from "node:fs";

const GATE_FD = 3;
const NOT_EXECUTABLE = 126;

function waitForByte(): boolean {
  try {
    return readSync(GATE_FD, Buffer.alloc(1)) === 1;
  } catch {
    // A bridge that died with the byte unread resets the socket; to us that is the same as its end.
    return false;
  }
}

const [program = "", ...args] = process.argv.slice(2);
if (!waitForByte()) process.exit(0);
closeSync(GATE_FD);
try {
  // A failed exec ends in an abort with a stack trace: find out before.
  accessSync(program, constants.X_OK);
} catch (error) {
  writeSync(2, `cannot start ${program}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(NOT_EXECUTABLE);
}
if (process.execve === undefined) throw new Error("this platform cannot replace a process by another");
process.execve(program, [program, ...args], process.env);
