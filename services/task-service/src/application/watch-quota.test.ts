import { describe, expect, test } from "vitest";
import { person, runner } from "../testing/test-app.ts";
import { WatchQuota } from "./watch-quota.ts";

const limits = { watchesPerActorMax: 2, watchesPerRunnerMax: 3 };
const never = new AbortController().signal;

function helixFor(userId: string) {
  return { kind: "service", name: "helix", roles: [], actsFor: { userId } } as const;
}

describe("the quota of watches", () => {
  test("is each actor's own, and a service's own for each user that it acts for", () => {
    const quota = new WatchQuota(limits);
    for (const actor of [person("ada"), person("bob"), helixFor("ada"), helixFor("bob")]) {
      quota.take(actor, never);
      quota.take(actor, never);
      expect(() => quota.take(actor, never)).toThrow("At most 2 watches may be open");
    }
    expect(quota.open).toBe(8);
  });

  test("is larger for a runner, which acts for everybody", () => {
    const quota = new WatchQuota(limits);
    for (let count = 0; count < 3; count++) quota.take(runner, never);
    expect(() => quota.take(runner, never)).toThrow("At most 3 watches may be open");
  });

  test("says whose it is and how much", () => {
    const quota = new WatchQuota({ ...limits, watchesPerActorMax: 0 });
    const actor = { kind: "user", userId: "ada", organizationId: "acme" } as const;
    expect(() => quota.take(actor, never)).toThrow(
      expect.objectContaining({
        reason: "TOO_MANY_WATCHES",
        metadata: { limit: "0" },
        quota: expect.objectContaining({ subject: "user:acme/ada" }),
      }),
    );
  });

  test("is given back when a watch ends or its caller goes, once", () => {
    const quota = new WatchQuota(limits);
    const caller = new AbortController();
    const ended = quota.take(person(), never);
    const gone = quota.take(person(), caller.signal);
    ended[Symbol.dispose]();
    ended[Symbol.dispose]();
    expect(quota.open).toBe(1);
    caller.abort();
    gone[Symbol.dispose]();
    expect(quota.open).toBe(0);
    quota.take(person(), caller.signal);
    expect(quota.open).toBe(0);
  });
});
