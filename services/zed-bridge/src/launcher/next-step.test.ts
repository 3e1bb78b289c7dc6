import { describe, expect, test } from "vitest";
import type { InstanceFacts } from "../application/list-instances.ts";
import { nextStep, type Step } from "./next-step.ts";

const now = new Date("2026-01-01T00:00:00Z");
const later = new Date("2026-01-01T00:00:01Z");

const wanted: InstanceFacts = {
  id: "zed_1",
  desired: "running",
  status: "starting",
  launchTarget: "acp-host",
  workingDirectory: "/work",
  launch: 3,
  pid: null,
  pidStartedAt: null,
  connected: false,
  unresponsive: false,
  revoked: false,
  nextLaunchAt: null,
};
const onRecord = { pid: 7, pidStartedAt: "then" };

describe("the supervisor's next step", () => {
  test.each<[string, Partial<InstanceFacts>, number | null, Step["kind"]]>([
    ["launches what is wanted", {}, null, "launch"],
    ["waits until a restart is due", { status: "restarting", nextLaunchAt: later }, null, "wait"],
    ["launches when a restart is due", { status: "restarting", nextLaunchAt: now }, null, "launch"],
    ["leaves alone what has failed", { status: "failed" }, null, "none"],
    ["leaves alone what somebody else starts", { launchTarget: "external" }, null, "none"],
    ["leaves alone what is not wanted and does not run", { desired: "stopped" }, null, "none"],
    ["adopts what is on record", onRecord, null, "adopt"],
    ["adopts what is on record before it stops it", { ...onRecord, desired: "stopped" }, null, "adopt"],
    ["leaves alone what runs and is wanted", onRecord, 3, "none"],
    ["stops what is not wanted any more", { ...onRecord, desired: "stopped" }, 3, "stop"],
    ["stops what does not connect", { ...onRecord, unresponsive: true }, 3, "stop"],
    ["stops what has a token that was revoked", { ...onRecord, revoked: true }, 3, "stop"],
    ["stops what was launched anew", onRecord, 2, "stop"],
  ])("%s", (_promise, difference, heldLaunch, kind) => {
    expect(nextStep({ ...wanted, ...difference }, heldLaunch, now).kind).toBe(kind);
  });
});
