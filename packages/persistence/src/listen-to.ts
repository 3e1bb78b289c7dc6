// LISTEN, as a hint
//
// A connection of its own waits for notifications and rings the doorbell. Notifications come late, twice, or not at all
// (a failover, a terminated backend, a proxy in between), so whoever listens also polls; nothing is ever read out of them
// but the topic. When the connection breaks, it is made anew, with growing pauses, for as long as the process lives; a
// ring for everybody then stands for whatever was missed in between.
//
// A listener says nothing, so it would never learn that the network has lost its connection without a word. That is why
// it asks for a sign of life now and then.

import type { World } from "@helix-zed/domain";
import { Client } from "pg";
import { cutWhenSilent } from "./cut-silent-connections.ts";
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
  /** After how long a silence it asks for a sign of life, and how long that may take, 5 s unless told otherwise. */
  readonly silenceMsMax?: number;
  readonly warn?: (message: string) => void;
}

const PAUSE_MS = 100;
const PAUSE_MS_MAX = 5_000;
const SILENCE_MS_MAX = 5_000;
const CONNECT_TIMEOUT_MS = 5_000;

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
  const { url, applicationName, channel, doorbell, signal, silenceMsMax = SILENCE_MS_MAX } = options;
  const client = new Client({
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  });
  const broken = Promise.withResolvers<never>();
  // It may break before anybody waits for it.
  broken.promise.catch(() => {});
  client.on("error", broken.reject);
  client.on("end", () => broken.reject(new Error("the connection ended")));
  const abort = (): void => broken.reject(signal.reason);
  signal.addEventListener("abort", abort);
  client.on("notification", ({ payload }) => doorbell.ring(payload === "" ? undefined : payload));
  try {
    await Promise.race([client.connect(), broken.promise]);
    // An answer that does not come breaks the connection.
    cutWhenSilent(client, { silenceMsMax, onIdle: () => void client.query("select 1").catch(() => {}) });
    await Promise.race([client.query(`listen ${client.escapeIdentifier(channel)}`), broken.promise]);
    onConnected();
    doorbell.ring();
    await broken.promise;
  } finally {
    signal.removeEventListener("abort", abort);
    await client.end().catch(() => {});
  }
}
