// The service is killed without warning again and again, while 16 clients go on calling it and a watch looks on.

import { sized } from "@helix-zed/harness/test-size.ts";
import { startTaskReplicas } from "@helix-zed/harness/task-replicas.ts";
import { describe, expect, test } from "vitest";
import { ClientCrowd } from "./client-crowd.ts";

const KILLS = sized({ normal: 6, full: 25 });
const STEPS_BETWEEN = 40;

describe("a task-service that is killed under 16 clients who try again", () => {
  test(
    "loses nothing that it acknowledged, does nothing twice, and its watch misses nothing",
    async () => {
      await using replicas = await startTaskReplicas();
      const transports = [replicas.transport({ httpVersion: "2" }), replicas.transport({ httpVersion: "1.1" })];
      const crowd = new ClientCrowd({ count: 16, transports });
      for (let kills = 0; kills < KILLS; kills++) {
        await crowd.more(STEPS_BETWEEN);
        await replicas.service(0).restart("SIGKILL");
      }
      await crowd.more(STEPS_BETWEEN);
      const { problems, watchProblems, steps, tally, watch } = await crowd.finish();
      expect(problems).toEqual([]);
      expect(watchProblems).toEqual([]);
      expect(watch.restarts).toBe(0);
      expect(watch.connections).toBeGreaterThan(KILLS);
      expect(steps).toBeGreaterThan(KILLS * STEPS_BETWEEN);
      // The kills did hit calls on their way, and nobody was told of an inner failure.
      expect(tally.unanswered).toBeGreaterThan(KILLS);
      expect([...tally.answers.keys()].filter((answer) => /^(Internal|Unknown)/.test(answer))).toEqual([]);
    },
    sized({ normal: 120_000, full: 600_000 }),
  );
});
