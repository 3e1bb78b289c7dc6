// What a test file opened must be closed when the file ends.
//
// The kit's own resources register here. After the last test of a file, and after the file's own hooks, each is given
// a short time to be gone; what is still there fails the file by name and is then removed, so that the next file,
// which runs in the same process, starts clean.

import { setTimeout as delay } from "node:timers/promises";

/** Something that must not outlive its test file. */
export interface Resource {
  /** What is still there, for the message; undefined when it is gone. */
  remains(): Promise<string | undefined>;
  /** Removes it by force; called in either case. */
  discard(): Promise<void>;
  /** What it has to say about a failed test. */
  report?(): string;
}

const PATIENCE_MS = 3_000;
const POLL_MS = 20;

const resources = new Set<Resource>();

/** Registers a resource of the running test file. */
export function mustBeGoneAfterFile(resource: Resource): void {
  resources.add(resource);
}

/** What the open resources have to say, for the output of a failed test. */
export function reports(): string[] {
  return [...resources].flatMap((resource) => resource.report?.() ?? []);
}

/** Removes every registered resource, and throws when one of them is still open after the given time. */
export async function closeResources(patienceMs = PATIENCE_MS): Promise<void> {
  const leaks = [];
  for (const resource of [...resources].toReversed()) {
    const remains = await remainsOf(resource, patienceMs);
    if (remains !== undefined) leaks.push(remains);
    await resource.discard();
    resources.delete(resource);
  }
  if (leaks.length > 0) throw new Error(`This test file left behind: ${leaks.join("; ")}`);
}

async function remainsOf(resource: Resource, patienceMs: number): Promise<string | undefined> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const remains = await resource.remains();
    if (remains === undefined || waitedMs >= patienceMs) return remains;
    await delay(POLL_MS);
  }
}
