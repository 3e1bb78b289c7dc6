// Whatever happens, in whatever order: prompts, interrupts and cancels; agents that answer, dawdle, refuse and die; links
// that are cut between and within frames, or fall silent; bridges and editors that die. What the bridge has written down
// in the end is compared with what it was asked and with what the agents did.
//
// A failure prints the seed and the smallest schedule that shows it; HELIX_ZED_TEST_SEED plays it again.
import { sized } from "@helix-zed/harness/test-size.ts";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defaultLimits } from "../../../services/zed-bridge/src/domain/limits.ts";
import { stageForTests } from "../kit/link-stage.ts";
import { judge } from "./judge.ts";
import { Playground } from "./playground.ts";
import { type Schedule, schedule } from "./step.ts";

const CUTS_MIN = sized({ normal: 500, full: 20_000 });
const KILLS_MIN = sized({ normal: 25, full: 100 });
const SCHEDULES_AT_ONCE = 4;

/** How long the smallest schedule that fails is looked for. */
const SHRINK_MS_MAX = sized({ normal: 120_000, full: 600_000 });

// An editor may crash as often as a schedule likes.
const limits = { ...defaultLimits, restartsMax: 1_000_000, restartDelayMsMax: 500 };
const stage = stageForTests({ parts: { limits } });

interface Tally {
  cuts: number;
  kills: number;
  prompts: number;
}

describe("over random schedules", () => {
  test(
    "every prompt reaches its agent once and ends once, in its own thread, in order, with what was said",
    async () => {
      const tally: Tally = { cuts: 0, kills: 0, prompts: 0 };
      for (let seed = firstSeed(); tally.cuts < CUTS_MIN || tally.kills < KILLS_MIN; seed++)
        await playSome(seed, tally);
      expect(tally.prompts).toBeGreaterThan(CUTS_MIN / 4);
    },
    sized({ normal: 600_000, full: 7_200_000 }),
  );
});

/** Plays some schedules; one that is under way when it was looked for long enough is played to its end. */
async function playSome(seed: number, tally: Tally): Promise<void> {
  let playing: Promise<void> = Promise.resolve();
  const property = fc.asyncProperty(schedule, (each) => (playing = play(each, tally)));
  try {
    await fc.assert(property, { seed, numRuns: SCHEDULES_AT_ONCE, interruptAfterTimeLimit: SHRINK_MS_MAX });
  } finally {
    await Promise.allSettled([playing]);
  }
}

async function play({ seed, steps }: Schedule, tally: Tally): Promise<void> {
  await stage.next();
  const ground = await Playground.open(stage, seed);
  try {
    for (const step of steps) await ground.play(step);
    await ground.finish();
    expect(await judge(stage, ground)).toEqual([]);
  } finally {
    await ground.close();
    tally.cuts += ground.cuts;
    tally.kills += ground.kills;
    tally.prompts += ground.accepted.length;
  }
}

function firstSeed(): number {
  return Number(process.env["HELIX_ZED_TEST_SEED"] ?? 1);
}
