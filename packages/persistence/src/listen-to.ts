// LISTEN, as a hint
//
// A connection of its own waits for notifications and rings the doorbell. Notifications come late, twice, or not at all
// (a failover, a terminated backend, a proxy in between), so whoever listens also polls; nothing is ever read out of them
// but the topic. When the connection breaks, it is made anew, with growing pauses, for as long as the process lives; a
// ring for everybody then stands for whatever was missed in between.

import type { World } from "@helix-zed/domain";
import { Client } from "pg";
import type { Doorbell } from "./doorbell.ts";

/** What to listen to. */
export interface ListenOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly channel: string;
  /** Rung for every notification, its payload as the topic (an empty one rings for all). */
  readonly doorbell: Pick<Doorbell, "ring">;
  readonly world: Pick<World, "sleep" | "random">;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly warn?: (message: string) => void;
}

const PAUSE_MS = 100;
const PAUSE_MS_MAX = 5_000;

/** Listens until the signal aborts. Never rejects. */
export async function listenTo(options: ListenOptions): Promise<void> {
  const { signal, world, warn, channel } = options;
  for (let pauseMs = PAUSE_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    try {
      await listenOnce(options, () => (pauseMs = PAUSE_MS));
    } catch (error) {
      if (signal.aborted) return;
      warn?.(`Listening to ${channel} broke off: ${error instanceof Error ? error.message : String(error)}`);
    }
    await world.sleep(pauseMs * (0.5 + world.random()), signal).catch(() => {});
  }
}

/** Until the connection breaks, or for good. */
async function listenOnce(options: ListenOptions, onConnected: () => void): Promise<void> {
  const { url, applicationName, channel, doorbell, signal } = options;
  const client = new Client({ connectionString: url, application_name: applicationName, keepAlive: true });
  const broken = new Promise<never>((_, reject) => {
    client.on("error", reject);
    client.on("end", () => reject(new Error("the connection ended")));
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  // It may break before anybody waits for it.
  broken.catch(() => {});
  client.on("notification", ({ payload }) => doorbell.ring(payload === "" ? undefined : payload));
  try {
    await Promise.race([client.connect(), broken]);
    await Promise.race([client.query(`listen ${client.escapeIdentifier(channel)}`), broken]);
    onConnected();
    doorbell.ring();
    await broken;
  } finally {
    await client.end().catch(() => {});
  }
}
