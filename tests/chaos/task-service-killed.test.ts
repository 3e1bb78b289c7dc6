// The service is killed without warning again and again, while 16 clients go on calling it and a watch looks on.
//
// The worst moment is after the commit and before the answer: the client does not know that it was done. It is short, so
// it is made long. Before each kill the network begins to lose answers, and the kill waits until something was done whose
// answer is lost.

import { eventually } from "@helix-zed/harness/eventually.ts";
import { startTaskReplicas } from "@helix-zed/harness/task-replicas.ts";
import { TcpProxy } from "@helix-zed/harness/tcp-proxy.ts";
import { sized } from "@helix-zed/harness/test-size.ts";
import { Client } from "pg";
import { describe, expect, test } from "vitest";
import { ClientCrowd } from "./client-crowd.ts";

const KILLS = sized({ normal: 25, full: 100 });
const STEPS_BETWEEN = 32;

describe("a task-service that is killed under 16 clients who try again", () => {
  test(
    "loses nothing that it acknowledged, does nothing twice, and its watch misses nothing",
    async () => {
      await using replicas = await startTaskReplicas();
      const { hostname: host, port } = new URL(replicas.url(0));
      const proxy = await TcpProxy.start({ host, port: Number(port) });
      const transports = [
        replicas.transport({ httpVersion: "2", proxy }),
        replicas.transport({ httpVersion: "1.1", proxy }),
      ];
      const crowd = new ClientCrowd({ count: 16, transports });
      for (let kills = 0; kills < KILLS; kills++) {
        await crowd.more(STEPS_BETWEEN);
        await loseAnswer(proxy, replicas.databaseUrl);
        await replicas.service(0).restart("SIGKILL");
      }
      await crowd.more(STEPS_BETWEEN);
      const { problems, watchProblems, steps, tally, watch } = await crowd.finish();
      await proxy.close();
      expect(problems).toEqual([]);
      expect(watchProblems).toEqual([]);
      expect(watch.restarts).toBe(0);
      expect(watch.connections).toBeGreaterThan(KILLS);
      expect(steps).toBeGreaterThan(KILLS * STEPS_BETWEEN);
      // The kills did hit calls on their way, also some that had been carried out, and nobody was told of an inner failure.
      expect(tally.unanswered).toBeGreaterThan(KILLS);
      expect(tally.answers.get("Aborted ETAG_MISMATCH")).toBeGreaterThan(0);
      expect([...tally.answers.keys()].filter((answer) => /^(Internal|Unknown)/.test(answer))).toEqual([]);
    },
    sized({ normal: 600_000, full: 2_400_000 }),
  );
});

/** Lets the answers of the calls of this moment be lost, and waits until a create was carried out. */
async function loseAnswer(proxy: TcpProxy, databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const before = await createsIn(client);
    proxy.loseAnswers();
    await eventually("a create is carried out", async () => (await createsIn(client)) > before, 1_000).catch(() => {
      // None was on its way: this kill meets other calls.
    });
  } finally {
    await client.end();
  }
}

async function createsIn(client: Client): Promise<number> {
  const { rows } = await client.query<{ count: number }>("select count(*)::int from request_ledger");
  return rows[0]?.count ?? 0;
}
