import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below the range from which the system takes the ports of outgoing connections (32768 on Linux, 49152 on macOS). */
const FIRST = 20_000;
const LAST = 32_000;

/** A port that nobody listens on and that no outgoing connection is going to take, so it can be used again later. */
export async function freePort(): Promise<number> {
  const port = randomInt(FIRST, LAST);
  return (await isFree(port)) ? port : freePort();
}

function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
