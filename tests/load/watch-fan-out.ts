// How long does a change take from its commit to those who watch it, and what does a watch cost?
//
//   in process   the watch as the service's code has it, without a transport: the baseline
//   connect      over sockets, in a process of its own, Connect over HTTP/2
//   grpc         the same with gRPC
//
//    node tests/load/watch-fan-out.ts
//
// 1,000 watches of 100 tenants, 200 changes a second at random. Over sockets the writer is another replica than the one
// that is watched, so the way leads over NOTIFY. Memory is heap after a collection where it is ours, and resident memory
// of the process over sockets. The clients over sockets share this process with the writer, so they do no more than they
// must (measuring/light-watch.ts): a client that costs more than the service would be what is measured.

import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { WatchWorkSessionsResponse } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { sized } from "@helix-zed/harness/test-size.ts";
import type { Pool } from "pg";
import type { App } from "../../services/task-service/src/application/app.ts";
import { watchWorkSessions } from "../../services/task-service/src/application/watch-work-sessions.ts";
import { withApp, withPool } from "./measuring/load-app.ts";
import type { Http2Load } from "./measuring/http2-load.ts";
import { openLightWatcher } from "./measuring/light-watch.ts";
import { withLoadDatabase } from "./measuring/load-database.ts";
import { say, sayGoal, sayMachine } from "./measuring/report.ts";
import { SessionWriter } from "./measuring/session-writer.ts";
import { percentile } from "./measuring/statistics.ts";
import { type UsersService, withUsersService } from "./measuring/users-service.ts";

const TENANTS = 100;
const WATCHES_PER_TENANT = 10;
const WATCHES = TENANTS * WATCHES_PER_TENANT;
const CHANGES_PER_S = 200;
const SECONDS = sized({ normal: 5, full: 30 });
const OPENED_AT_A_TIME = 10;
const REST_STEPS = 4;
const REST_STEP_MS = 2_000;
const GOAL_P99_MS = 50;
const GOAL_KB = 20;
const users = Array.from({ length: TENANTS }, (_, index) => `user${index}`);

/** Notes when what was committed, and when it arrived. */
class Stopwatch {
  readonly #committed = new Map<string, number>();
  readonly #arrivals: (readonly [key: string, atMs: number])[] = [];

  committed(id: string, version: number): void {
    this.#committed.set(`${id}"${version}"`, performance.now());
  }

  arrived(id: string, etag: string): void {
    this.#arrivals.push([`${id}${etag}`, performance.now()]);
  }

  get latenciesMs(): number[] {
    return this.#arrivals.flatMap(([key, atMs]) => {
      const committedMs = this.#committed.get(key);
      return committedMs === undefined ? [] : [Math.max(0, atMs - committedMs)];
    });
  }

  get expected(): number {
    return this.#committed.size * WATCHES_PER_TENANT;
  }
}

/** Opens one watch and hands over what changes, until the signal aborts; answers when the snapshot is complete. */
type Open = (userId: string, stopwatch: Stopwatch, signal: AbortSignal) => Promise<void>;

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");

function heapKb(): number {
  if (typeof collect === "function") collect();
  return process.memoryUsage().heapUsed / 1_024;
}

function inProcess(app: App): Open {
  return async (userId, stopwatch, signal) => {
    const asked = { taskId: null, agentTypes: [], statuses: [], resumeToken: "" };
    const messages = watchWorkSessions(app, { kind: "user", userId }, asked, signal);
    while ((await messages.next()).value?.event.kind !== "synced");
    void (async () => {
      for await (const { event } of messages) {
        if (event.kind !== "changed" || event.resource.kind !== "work_session") continue;
        const { id, version } = event.resource.workSession;
        stopwatch.arrived(id, `"${version}"`);
      }
    })().catch(() => {});
  };
}

async function committedIn(pool: Pool): Promise<number> {
  // Statistics come late.
  await pause(1_200);
  const query = "select xact_commit::int as count from pg_stat_database where datname = current_database()";
  const { rows } = await pool.query<{ count: number }>(query);
  return rows[0]?.count ?? 0;
}

function usage(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Watches over sockets with clients that cost next to nothing: one connection for each user. */
class SocketWatches {
  readonly #service: UsersService;
  readonly #protocol: "connect" | "grpc";
  readonly #connections = new Map<string, Promise<Http2Load>>();
  readonly #heard = new Map<string, (message: WatchWorkSessionsResponse) => void>();

  constructor(service: UsersService, protocol: "connect" | "grpc") {
    this.#service = service;
    this.#protocol = protocol;
  }

  readonly open: Open = async (userId, stopwatch, signal) => {
    const connection = await (this.#connections.get(userId) ?? this.#connect(userId));
    const synced = Promise.withResolvers<void>();
    const stream = connection.call();
    const key = `${userId}/${stream}`;
    this.#heard.set(key, ({ event }) => {
      if (event.case === "synced") synced.resolve();
      if (event.case === "changed")
        stopwatch.arrived(event.value.workSession?.id ?? "", event.value.workSession?.etag ?? "");
    });
    signal.addEventListener("abort", () => {
      this.#heard.delete(key);
      connection.cancel(stream);
    });
    await synced.promise;
  };

  async close(): Promise<void> {
    for (const connection of await Promise.all(this.#connections.values())) connection.close();
  }

  #connect(userId: string): Promise<Http2Load> {
    const { port } = this.#service;
    const heard = (stream: number, message: WatchWorkSessionsResponse): void =>
      this.#heard.get(`${userId}/${stream}`)?.(message);
    const protocol = this.#protocol;
    const connecting = openLightWatcher({ port, token: this.#service.token(userId), protocol, heard });
    this.#connections.set(userId, connecting);
    return connecting;
  }
}

interface Measured {
  readonly name: string;
  readonly open: Open;
  readonly memoryKb: () => number;
  readonly cpuUs: () => number;
  readonly transactions: () => Promise<number>;
}

/** Some at a time: what a snapshot waits for is not what is measured. */
async function openForAll(open: (userId: string) => Promise<void>): Promise<void> {
  for (let from = 0; from < users.length; from += OPENED_AT_A_TIME) {
    await Promise.all(users.slice(from, from + OPENED_AT_A_TIME).map(open));
  }
}

/** Memory when it has stopped to fall: a process that was busy gives back some seconds later what it needed only then. */
async function atRest(memoryKb: () => number): Promise<number> {
  let least = memoryKb();
  for (let quiet = 0; quiet < REST_STEPS; quiet++) {
    await pause(REST_STEP_MS);
    const now = memoryKb();
    if (now < least * 0.995) quiet = 0;
    least = Math.min(least, now);
  }
  return least;
}

async function openAndClose(open: Open, userId: string): Promise<void> {
  const end = new AbortController();
  await open(userId, new Stopwatch(), end.signal);
  end.abort();
}

async function measure(writers: readonly SessionWriter[], { name, open, memoryKb, cpuUs, transactions }: Measured) {
  const stop = new AbortController();
  const stopwatch = new Stopwatch();
  // What is made at the first call is not the price of a watch.
  await openForAll((userId) => openAndClose(open, userId));
  const beforeKb = await atRest(memoryKb);
  for (let round = 0; round < WATCHES_PER_TENANT; round++) {
    await openForAll((userId) => open(userId, stopwatch, stop.signal));
  }
  const kbPerWatch = ((await atRest(memoryKb)) - beforeKb) / WATCHES;
  const [cpuBeforeUs, transactionsBefore] = [cpuUs(), await transactions()];
  await writeSteadily(writers, stopwatch);
  await pause(1_000);
  const latencies = stopwatch.latenciesMs;
  const changes = stopwatch.expected / WATCHES_PER_TENANT;
  const transactionsPerChange = ((await transactions()) - transactionsBefore) / changes;
  const figures = { p50Ms: percentile(latencies, 50), p99Ms: percentile(latencies, 99), kbPerWatch };
  const columns = [
    `p50 ${figures.p50Ms.toFixed(1)} ms`,
    `p99 ${figures.p99Ms.toFixed(1)} ms`,
    `${((cpuUs() - cpuBeforeUs) / latencies.length).toFixed(0)} µs CPU per message`,
    `${kbPerWatch.toFixed(1)} KB per watch`,
    `${transactionsPerChange.toFixed(1)} transactions per change`,
    `${latencies.length} of ${stopwatch.expected} delivered`,
  ];
  say(`${name.padEnd(10)}  ${columns.join("   ")}`);
  stop.abort();
  await pause(500);
  return figures;
}

async function writeSteadily(writers: readonly SessionWriter[], stopwatch: Stopwatch): Promise<void> {
  const writing: Promise<void>[] = [];
  const startMs = performance.now();
  const free = [...writers];
  const writeOnce = async (writer: SessionWriter): Promise<void> => {
    const { id, version } = await writer.write();
    stopwatch.committed(id, version);
    free.push(writer);
  };
  for (let count = 0; count < SECONDS * CHANGES_PER_S; count++) {
    const [writer] = free.splice(Math.floor(Math.random() * free.length), 1);
    if (writer !== undefined) {
      writing.push(writeOnce(writer));
    }
    const dueMs = startMs + (count * 1_000) / CHANGES_PER_S;
    await pause(Math.max(1, dueMs - performance.now()));
  }
  await Promise.all(writing);
}

await withLoadDatabase((database) =>
  withPool(database.url, (pool) =>
    withApp(database.url, async (app) => {
      const writers = await Promise.all(users.map((userId) => SessionWriter.create(app, userId)));
      sayMachine();
      say(
        `${WATCHES} watches of ${TENANTS} tenants, ${CHANGES_PER_S} changes/s for ${SECONDS} s, one writer per tenant`,
      );
      const own = {
        name: "in process",
        open: inProcess(app),
        memoryKb: heapKb,
        cpuUs: usage,
        transactions: () => committedIn(pool),
      };
      const baseline = await measure(writers, own);
      sayGoal("in process: p99 in ms", baseline.p99Ms, { atMost: GOAL_P99_MS });
      for (const protocol of ["connect", "grpc"] as const) {
        await withUsersService(database, users, async (service) => {
          const watches = new SocketWatches(service, protocol);
          const memoryKb = (): number => service.residentKb();
          const measured = {
            name: protocol,
            open: watches.open,
            memoryKb,
            cpuUs: service.cpuUs,
            transactions: () => committedIn(pool),
          };
          const { p99Ms, kbPerWatch } = await measure(writers, measured);
          await watches.close();
          sayGoal(`${protocol}: p99 in ms`, p99Ms, { atMost: GOAL_P99_MS });
          sayGoal(`${protocol}: KB resident per watch`, kbPerWatch, { atMost: GOAL_KB });
          say(
            `${protocol}: ${((baseline.kbPerWatch / kbPerWatch) * 100).toFixed(0)} % of its memory are the service's own`,
          );
        });
      }
    }),
  ),
);
