export type { Reaction } from "./reaction.ts";
export { reactTo } from "./reaction.ts";
export type { RunningRunner } from "./run-runner.ts";
export { startRunner } from "./run-runner.ts";
export type { Claim, RunnerHandler, RunnerOptions, RunnerProblem } from "./runner-options.ts";
