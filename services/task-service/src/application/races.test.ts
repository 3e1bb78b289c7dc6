import { randomInt } from "node:crypto";
import { sized } from "@helix-zed/harness/test-size.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expireLeases } from "./expire-leases.ts";
import {
  type ContestantName,
  contestants,
  endOf,
  layOut,
  outcomeOf,
  type Start,
  starts,
  type Track,
} from "../testing/race.ts";
import { Course } from "../testing/course.ts";

/** As many races at the same time. */
const COURSES = 4;
const RACES = sized({ normal: 1_000, full: 5_000 });
const DUELS = sized({ normal: 25, full: 200 });
const PATIENCE_MS = sized({ normal: 600_000, full: 3_000_000 });

interface Pair {
  readonly start: Start;
  readonly names: readonly [ContestantName, ContestantName];
}

const courses: Course[] = [];
beforeAll(async () => {
  for (let index = 0; index < COURSES; index++) courses.push(await Course.open());
}, 60_000);
afterAll(() => Promise.all(courses.map((course) => course.close())));

/** Every start with every pair, also of two who do the same. */
function allPairs(): Pair[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a literal that gets no others
  const names = Object.keys(contestants) as ContestantName[];
  return starts.flatMap((start) =>
    names.flatMap((one, index) => names.slice(index).map((other): Pair => ({ start, names: [one, other] }))),
  );
}

/** Pairs that once ended in a way of their own: the session's RPCs told that there is no such task. */
const closeCalls: readonly Pair[] = [
  { start: "active", names: ["runner reports completed", "delete task"] },
  { start: "active", names: ["user cancels session", "delete task"] },
  { start: "active", names: ["bind to one", "delete task"] },
];

/** What remains to be done after both, so that ends can be compared: a sweep that met a held row comes again. */
async function finish(course: Course, track: Track): Promise<string> {
  await expireLeases(course.replicas[0]);
  return endOf(course, track);
}

async function inTurn(course: Course, { start, names }: Pair, order: readonly [0 | 1, 0 | 1]): Promise<string> {
  const track = await layOut(course, start);
  const outcomes = ["", ""];
  for (const place of order) outcomes[place] = await outcomeOf(contestants[names[place]], course.replicas[0], track);
  return `${outcomes.join(" / ")} → ${await finish(course, track)}`;
}

async function atOnce(course: Course, { start, names }: Pair): Promise<string> {
  const track = await layOut(course, start);
  const begun = names.map((name, place) => outcomeOf(contestants[name], course.replicas[place === 0 ? 0 : 1], track));
  const outcomes = await Promise.all(begun);
  return `${outcomes.join(" / ")} → ${await finish(course, track)}`;
}

const endsInTurn = new Map<string, Promise<string[]>>();

/** How a pair ends when one waits for the other: the first first, or the second. */
function inBothTurns(course: Course, pair: Pair): Promise<string[]> {
  const known = endsInTurn.get(describePair(pair));
  if (known !== undefined) return known;
  const ends = (async () => [await inTurn(course, pair, [0, 1]), await inTurn(course, pair, [1, 0])])();
  endsInTurn.set(describePair(pair), ends);
  return ends;
}

/** What was wrong with a race, if anything was. */
async function race(course: Course, pair: Pair): Promise<string | undefined> {
  const end = await atOnce(course, pair);
  const allowed = await inBothTurns(course, pair);
  if (allowed.includes(end)) return undefined;
  return `${describePair(pair)} ended\n  ${end}, and in turn\n  ${allowed.join("\n  ")}`;
}

function describePair({ start, names }: Pair): string {
  return `${start}: ${names.join(" against ")}`;
}

/** Lets all courses work off what there is. */
async function onCourses<Work>(work: readonly Work[], carryOut: (course: Course, piece: Work) => Promise<void>) {
  const left = [...work];
  const run = async (course: Course): Promise<void> => {
    for (let piece = left.pop(); piece !== undefined; piece = left.pop()) await carryOut(course, piece);
  };
  await Promise.all(courses.map(run));
}

describe("two who do something to one task at the same moment", () => {
  test(
    "leave it as if one of them had been first, whatever they do: answers, states, roll-up and log",
    async () => {
      const pairs = allPairs();
      expect(RACES).toBeGreaterThan(pairs.length);
      const more = Array.from({ length: RACES - pairs.length }, () => pairs[randomInt(pairs.length)] ?? fail());
      const chosen = [...pairs, ...more, ...closeCalls.flatMap((pair) => [pair, pair, pair])];
      const problems: string[] = [];
      await onCourses(chosen, async (course, pair) => {
        const problem = await race(course, pair).catch((error: unknown) => `${describePair(pair)}: ${String(error)}`);
        if (problem !== undefined) problems.push(problem);
      });
      expect(problems).toEqual([]);
    },
    PATIENCE_MS,
  );
});

describe("of two who want what only one can have", () => {
  test.each<[Start, ContestantName, ContestantName, string, string]>([
    ["pending", "claim by the first runner", "claim by the second runner", "LEASE_HELD", "LEASE_HELD"],
    [
      "active",
      "runner reports completed",
      "user cancels session",
      "WORK_SESSION_STATUS_CONFLICT",
      "WORK_SESSION_STATUS_CONFLICT",
    ],
    [
      "active",
      "runner reports completed",
      "runner reports failed",
      "WORK_SESSION_STATUS_CONFLICT",
      "WORK_SESSION_STATUS_CONFLICT",
    ],
    ["expired", "runner reports completed", "claim by the second runner", "LEASE_LOST", "WORK_SESSION_STATUS_CONFLICT"],
    ["active", "complete task", "cancel task", "TASK_STATUS_CONFLICT", "TASK_STATUS_CONFLICT"],
    ["active", "cancel task as seen", "cancel task as seen", "ETAG_MISMATCH", "ETAG_MISMATCH"],
    ["active", "user cancels session as seen", "user cancels session as seen", "ETAG_MISMATCH", "ETAG_MISMATCH"],
    ["active", "delete task", "delete task", "TASK_NOT_FOUND", "TASK_NOT_FOUND"],
    ["pending", "bind to one", "bind to another", "HELIX_SESSION_BOUND", "HELIX_SESSION_BOUND"],
  ])(
    "%s: %s, or %s, and the other is told why not",
    async (start, one, other, oneLoses, otherLoses) => {
      const ends = new Set([`done / ${otherLoses}`, `${oneLoses} / done`]);
      const outcomes: string[] = [];
      const duels = Array.from({ length: DUELS }, (_, index) => index);
      await onCourses(duels, async (course) => {
        outcomes.push((await atOnce(course, { start, names: [one, other] })).replace(/ → .*/, ""));
      });
      expect(outcomes).toHaveLength(DUELS);
      expect(outcomes.filter((outcome) => !ends.has(outcome))).toEqual([]);
    },
    PATIENCE_MS,
  );
});

function fail(): never {
  throw new Error("There is no pair.");
}
