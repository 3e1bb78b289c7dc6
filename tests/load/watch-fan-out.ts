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
// of the process over sockets.

import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createClient } from "@connectrpc/connect";
import { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { sized } from "@helix-zed/harness/test-size.ts";
import type { Pool } from "pg";
import type { App } from "../../services/task-service/src/application/app.ts";
import { watchWorkSessions } from "../../services/task-service/src/application/watch-work-sessions.ts";
import { withApp, withPool } from "./measuring/load-app.ts";
import { withLoadDatabase } from "./measuring/load-database.ts";
import { say, sayGoal, sayMachine } from "./measuring/report.ts";
import { SessionWriter } from "./measuring/session-writer.ts";
import { percentile } from "./measuring/statistics.ts";
import { withUsersService } from "./measuring/users-service.ts";

const TENANTS = 100;
const WATCHES_PER_TENANT = 10;
const WATCHES = TENANTS * WATCHES_PER_TENANT;
const CHANGES_PER_S = 200;
const SECONDS = sized({ normal: 5, full: 30 });
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

type Transports = (userId: string) => ReturnType<Parameters<Parameters<typeof withUsersService>[2]>[0]["transport"]>;

function overSockets(transports: Transports): Open {
  return async (userId, stopwatch, signal) => {
    const synced = Promise.withResolvers<void>();
    const messages = createClient(WorkSessionService, transports(userId)).watchWorkSessions({}, { signal });
    void (async () => {
      for await (const { event } of messages) {
        if (event.case === "synced") synced.resolve();
        if (event.case === "changed")
          stopwatch.arrived(event.value.workSession?.id ?? "", event.value.workSession?.etag ?? "");
      }
    })().catch((error: unknown) => synced.reject(error));
    await synced.promise;
  };
}

interface Measured {
  readonly name: string;
  readonly open: Open;
  readonly memoryKb: () => number;
  readonly cpuUs: () => number;
  readonly transactions: () => Promise<number>;
}

async function measure(writers: readonly SessionWriter[], { name, open, memoryKb, cpuUs, transactions }: Measured) {
  const stop = new AbortController();
  const warmUp = new AbortController();
  const stopwatch = new Stopwatch();
  // What is made at the first call is not the price of a watch.
  await Promise.all(users.map((userId) => open(userId, new Stopwatch(), warmUp.signal)));
  warmUp.abort();
  await pause(1_500);
  const beforeKb = memoryKb();
  for (let round = 0; round < WATCHES_PER_TENANT; round++) {
    await Promise.all(users.map((userId) => open(userId, stopwatch, stop.signal)));
  }
  await pause(1_500);
  const kbPerWatch = (memoryKb() - beforeKb) / WATCHES;
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
          const transports = new Map(users.map((userId) => [userId, service.transport(protocol, userId)]));
          const open = overSockets((userId) => transports.get(userId) ?? service.transport(protocol, userId));
          const memoryKb = (): number => service.residentKb();
          const measured = {
            name: protocol,
            open,
            memoryKb,
            cpuUs: service.cpuUs,
            transactions: () => committedIn(pool),
          };
          const { p99Ms, kbPerWatch } = await measure(writers, measured);
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
