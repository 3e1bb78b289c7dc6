import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import type { Figure } from "./rounds.ts";

const GIBIBYTE = 1024 ** 3;

/** Prints a line. */
export function say(line = ""): void {
  process.stdout.write(`${line}\n`);
}

/** Says where the figures come from, and how busy the machine is with other things. */
export function sayMachine(): void {
  const model = cpus()[0]?.model.trim() ?? "unknown";
  const memory = Math.round(totalmem() / GIBIBYTE);
  const load = loadavg()[0] ?? 0;
  say(
    `${availableParallelism()} cores of ${model}, ${memory} GiB, Node ${process.versions.node}, load ${load.toFixed(1)}`,
  );
}

/** Prints a table of figures; all are measured against the first. */
export function sayFigures(figures: readonly Figure[]): void {
  const [baseline] = figures;
  const width = Math.max(...figures.map(({ name }) => name.length));
  say(`${"".padEnd(width)}      per s   of 1st   CPU µs    DB µs   p50 ms   p99 ms`);
  for (const figure of figures) {
    const ratio = figure.perSecond / (baseline?.perSecond ?? 1);
    const columns = [
      figure.perSecond.toFixed(0).padStart(9),
      ratio.toFixed(2).padStart(7),
      figure.cpuUs.toFixed(0).padStart(7),
      figure.databaseUs.toFixed(0).padStart(7),
      figure.p50Ms.toFixed(2).padStart(7),
      figure.p99Ms.toFixed(2).padStart(7),
    ];
    say(`${figure.name.padEnd(width)}  ${columns.join("  ")}`);
  }
}

/** Compares a figure with its goal, in one line. */
export function sayGoal(what: string, value: number, goal: { readonly atLeast: number } | { readonly atMost: number }) {
  const [isReached, words] =
    "atLeast" in goal
      ? [value >= goal.atLeast, `at least ${goal.atLeast}`]
      : [value <= goal.atMost, `at most ${goal.atMost}`];
  say(`${isReached ? "reached" : "MISSED "}  ${what}: ${value.toFixed(2)} (goal: ${words})`);
}
