// Rounds
//
//   warm up:  a b c       (not counted)
//   round 1:  a b c
//   round 2:  c b a  …
//
// What is compared takes turns within one run, so that whatever else the machine does meets all of them alike, and each
// figure is the median of its rounds. So two figures of one run can be divided by each other; the figures themselves are
// of this machine and this hour.

import type { CpuClock } from "./cpu-clock.ts";
import { median, percentile } from "./statistics.ts";

/** Something whose cost is measured. */
export interface Contestant {
  readonly name: string;
  /** Done again and again, by several workers at once. */
  readonly operation: (worker: number) => Promise<unknown>;
  /** Done before each of its rounds. */
  readonly prepare?: () => Promise<unknown>;
  /** Of the process whose time is its cost, if it is not this one. */
  readonly cpuUs?: CpuClock;
}

/** How often and how long. */
export interface RoundOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly workers: number;
  /** How long each runs before it counts, so that its code is compiled. */
  readonly warmUpSeconds: number;
  /** Of the database, whose time is reported beside. */
  readonly databaseCpuUs: CpuClock;
}

/** What an operation took: medians over the rounds. */
export interface Figure {
  readonly name: string;
  readonly perSecond: number;
  /** Time of the process's CPU for one operation, user and system. */
  readonly cpuUs: number;
  /** The same of the database. */
  readonly databaseUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Measures the contestants in turn; the figures come in their order. */
export async function runRounds(contestants: readonly Contestant[], options: RoundOptions): Promise<Figure[]> {
  const results = new Map<Contestant, Figure[]>(contestants.map((contestant) => [contestant, []]));
  const warmUp = { ...options, seconds: options.warmUpSeconds };
  for (const contestant of contestants) await runOnce(contestant, warmUp);
  for (let round = 0; round < options.rounds; round++) {
    const order = round % 2 === 0 ? contestants : contestants.toReversed();
    for (const contestant of order) results.get(contestant)?.push(await runOnce(contestant, options));
  }
  return contestants.map((contestant) => typical(contestant.name, results.get(contestant) ?? []));
}

async function runOnce(contestant: Contestant, { seconds, workers, databaseCpuUs }: RoundOptions): Promise<Figure> {
  const { name, operation, prepare, cpuUs = ownCpuUs } = contestant;
  await prepare?.();
  const latenciesMs: number[] = [];
  const before = { cpuUs: cpuUs(), databaseUs: databaseCpuUs() };
  const startMs = performance.now();
  const endMs = startMs + seconds * 1_000;
  await Promise.all(
    Array.from({ length: workers }, async (_, worker) => {
      for (let atMs = performance.now(); atMs < endMs;) {
        await operation(worker);
        const doneMs = performance.now();
        latenciesMs.push(doneMs - atMs);
        atMs = doneMs;
      }
    }),
  );
  const elapsedMs = performance.now() - startMs;
  const count = latenciesMs.length;
  return {
    name,
    perSecond: count / (elapsedMs / 1_000),
    cpuUs: (cpuUs() - before.cpuUs) / count,
    databaseUs: (databaseCpuUs() - before.databaseUs) / count,
    p50Ms: percentile(latenciesMs, 50),
    p99Ms: percentile(latenciesMs, 99),
  };
}

function ownCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function typical(name: string, figures: readonly Figure[]): Figure {
  const of = (pick: (figure: Figure) => number): number => median(figures.map(pick));
  return {
    name,
    perSecond: of(({ perSecond }) => perSecond),
    cpuUs: of(({ cpuUs }) => cpuUs),
    databaseUs: of(({ databaseUs }) => databaseUs),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
  };
}
