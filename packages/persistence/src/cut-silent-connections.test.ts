import { setTimeout as delay } from "node:timers/promises";
import { emptyDatabase } from "@helix-zed/harness/fresh-database.ts";
import { TcpProxy } from "@helix-zed/harness/tcp-proxy.ts";
import type { MikroORM } from "@mikro-orm/postgresql";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase } from "./open-database.ts";
import { transact } from "./transact.ts";

const SILENCE_MS_MAX = 200;
let proxy: TcpProxy;
let url: string;
let orm: MikroORM;

beforeAll(async () => {
  url = await emptyDatabase();
  const { hostname: host, port } = new URL(url);
  proxy = await TcpProxy.start({ host, port: Number(port) });
  orm = await openDatabase({
    url: proxy.through(url),
    applicationName: "silent",
    entities: [],
    connectionsMax: 2,
    silenceMsMax: SILENCE_MS_MAX,
  });
});

afterAll(async () => {
  await orm.close(true);
  await proxy.close();
});

describe("a connection that the network has lost", () => {
  test("is cut: who waits is told that the database is out of reach, and the next call has a new one", async () => {
    for (let round = 0; round < 3; round++) {
      const begun = [1, 2].map(() => Promise.withResolvers<void>());
      const frozen = Promise.withResolvers<void>();
      const calls = begun.map(({ resolve }) =>
        transact(orm, async (em) => {
          await em.execute("select 1");
          resolve();
          await frozen.promise;
          await em.execute("select 2");
        }),
      );
      await Promise.all(begun.map(({ promise }) => promise));
      expect(proxy.freeze()).toBe(2);
      frozen.resolve();
      for (const outcome of await Promise.allSettled(calls)) {
        expect(outcome).toMatchObject({ status: "rejected", reason: { reason: "DATABASE_UNAVAILABLE" } });
      }
      expect(await transact(orm, (em) => em.execute("select 3 as n"))).toEqual([{ n: 3 }]);
    }
  });

  test("is cut too if it was idle for long before", async () => {
    const lost = transact(orm, async (em) => {
      await em.execute("select 1");
      await idle();
      proxy.freeze();
      await em.execute("select 2");
    });
    await expect(lost).rejects.toMatchObject({ reason: "DATABASE_UNAVAILABLE" });
  });

  test("is none if it is only slow, or idle", async () => {
    const slow = transact(orm, (em) => em.execute(`select 1 as n from pg_sleep(${SILENCE_MS_MAX / 2_000})`));
    expect(await slow).toEqual([{ n: 1 }]);
    await transact(orm, async (em) => {
      await idle();
      expect(await em.execute("select 2 as n")).toEqual([{ n: 2 }]);
    });
  });
});

describe("a connection that ends between two statements of a transaction", () => {
  test("costs that transaction, and not the process", async () => {
    const lost = transact(orm, async (em) => {
      await em.execute("select 1");
      await terminateAll();
      await em.execute("select 2");
    });
    await expect(lost).rejects.toMatchObject({ reason: "DATABASE_UNAVAILABLE" });
    expect(await transact(orm, (em) => em.execute("select 3 as n"))).toEqual([{ n: 3 }]);
  });
});

/** Longer than a silence may be. */
function idle(): Promise<void> {
  return delay(1.5 * SILENCE_MS_MAX);
}

async function terminateAll(): Promise<void> {
  const admin = new Client({ connectionString: url });
  await admin.connect();
  try {
    await admin.query(
      "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'silent' and pid <> pg_backend_pid()",
    );
  } finally {
    await admin.end();
  }
}
