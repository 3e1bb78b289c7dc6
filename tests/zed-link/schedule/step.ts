import type { Cut } from "@helix-zed/harness/nemesis/nemesis-proxy.ts";
import * as fc from "fast-check";
import { allBehaviours, type Behaviour } from "./behaviour.ts";

/** One thing that happens. */
export type Deed =
  | { readonly kind: "prompt"; readonly who: number; readonly behaviour: Behaviour; readonly interrupt: boolean }
  /** The last prompt is sent once more, under its request id. */
  | { readonly kind: "repeat"; readonly who: number }
  | { readonly kind: "cancel"; readonly who: number }
  /** An agent that waits goes on. */
  | { readonly kind: "progress" }
  /** Every connection is cut, and perhaps comes back at once. */
  | { readonly kind: "cut"; readonly how: Cut; readonly back: boolean }
  /** The network comes and goes, so many times. */
  | { readonly kind: "flap"; readonly times: number }
  /** From now on connections are cut within frames, this often; 0: no more. */
  | { readonly kind: "ambush"; readonly share: number }
  | { readonly kind: "kill_bridge" }
  /** The editor crashes and is started again. */
  | { readonly kind: "restart_editor" }
  | { readonly kind: "pass"; readonly durationMs: number };

/** What happens, and whether everything that follows from it happens before the next thing does. */
export interface Step {
  readonly deed: Deed;
  readonly settled: boolean;
}

const who = fc.nat(1);
const cut = fc.constantFrom<Cut>("reset", "reset", "end", "silence");

const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constant("prompt" as const),
      who,
      behaviour: fc.constantFrom(...allBehaviours),
      interrupt: fc.nat(4).map((throwOf) => throwOf === 0),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("repeat" as const), who }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("cancel" as const), who }) },
  { weight: 6, arbitrary: fc.constant({ kind: "progress" as const }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant("cut" as const), how: cut, back: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("flap" as const), times: fc.integer({ min: 2, max: 8 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("ambush" as const), share: fc.constantFrom(0, 0.05, 0.3) }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: "kill_bridge" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "restart_editor" as const }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("pass" as const),
      durationMs: fc.constantFrom(100, 1_000, 1_000, 1_000, 2_000, 6_000, 30_000, 150_000),
    }),
  },
);

/** A schedule: what happens, and the seed of the network's own ideas. */
export const schedule = fc.record({
  seed: fc.nat(2 ** 31),
  steps: fc.noBias(fc.array(fc.record({ deed, settled: fc.boolean() }), { minLength: 1, maxLength: 100, size: "max" })),
});

/** What {@link schedule} makes. */
export interface Schedule {
  readonly seed: number;
  readonly steps: readonly Step[];
}
