// Connections that the network has lost without a word
//
// A router forgets a connection, a host is gone: neither end is told. The system notices after a quarter of an hour, and
// until then whoever is given such a connection waits in vain. So a connection that owes an answer and says nothing for
// too long is cut: who waits is told, and the pool gets its place back. One that owes nothing may be silent.

import { Socket } from "node:net";
import type { ClientBase, Pool } from "pg";

/** How long a silence may be, in milliseconds. */
export interface SilenceLimits {
  readonly silenceMsMax: number;
  /** Called when a connection that owes nothing has been silent for so long, and may make it speak. */
  readonly onIdle?: () => void;
}

/** Cuts the connections of a pool that owe an answer and have said nothing for so long. */
export function cutSilentConnections(pool: Pool, limits: SilenceLimits): void {
  pool.on("connect", (client) => cutWhenSilent(client, limits));
}

/** The same for one connection. To be called when it is open. */
export function cutWhenSilent(client: ClientBase, { silenceMsMax, onIdle }: SilenceLimits): void {
  const socket = socketOf(client);
  socket?.setTimeout(silenceMsMax).on("timeout", () => {
    if (owesAnswer(client)) socket.destroy(silence(silenceMsMax));
    else onIdle?.();
  });
}

/** Counts as a database that cannot be reached. */
function silence(durationMs: number): Error {
  return Object.assign(new Error(`the database said nothing for ${durationMs} ms`), { code: "ETIMEDOUT" });
}

// The driver's types tell neither of the two; without a socket nothing is cut.
function socketOf(client: ClientBase): Socket | undefined {
  const connection: unknown = Reflect.get(client, "connection");
  const stream: unknown = typeof connection === "object" && connection && Reflect.get(connection, "stream");
  return stream instanceof Socket ? stream : undefined;
}

function owesAnswer(client: ClientBase): boolean {
  return Reflect.get(client, "readyForQuery") === false;
}
