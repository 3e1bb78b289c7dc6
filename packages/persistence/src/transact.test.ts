import { freshDatabase } from "@helix-zed/harness/fresh-database.ts";
import type { MikroORM } from "@mikro-orm/postgresql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closeDatabase } from "./close-database.ts";
import { migrate, sqlMigration } from "./migrate.ts";
import { openDatabase } from "./open-database.ts";
import { transact } from "./transact.ts";

const migrations = [
  sqlMigration("0001-counters", "create table counters (id text primary key, value int not null default 0)"),
];

let orm: MikroORM;
const warnings: string[] = [];
beforeAll(async () => {
  const url = await freshDatabase("persistence-transact", async (at) => {
    await migrate({ url: at, applicationName: "test", migrations });
  });
  orm = await openDatabase({
    url,
    applicationName: "test",
    entities: [],
    connectionsMax: 4,
    warn: (message) => warnings.push(message),
  });
  await orm.em.fork().execute("insert into counters (id) values ('a'), ('b')");
});
afterAll(() => closeDatabase(orm));

async function valueOf(id: string): Promise<number> {
  const rows = await orm.em.fork().execute<{ value: number }[]>("select value from counters where id = ?", [id]);
  return rows[0]?.value ?? -1;
}

describe("a transaction", () => {
  test("is undone as a whole when its work fails", async () => {
    const before = await valueOf("a");
    const failed = transact(orm, async (em) => {
      await em.execute("update counters set value = value + 1 where id = 'a'");
      throw new Error("no");
    });
    await expect(failed).rejects.toThrow("no");
    expect(await valueOf("a")).toBe(before);
  });

  test("is done again when it waits for one that waits for it", async () => {
    const [a, b] = [await valueOf("a"), await valueOf("b")];
    let attempts = 0;
    const increment = async (first: string, second: string) =>
      transact(orm, async (em) => {
        attempts++;
        await em.execute("update counters set value = value + 1 where id = ?", [first]);
        await em.execute("select pg_sleep(0.05)");
        await em.execute("update counters set value = value + 1 where id = ?", [second]);
      });
    await Promise.all([increment("a", "b"), increment("b", "a")]);
    expect(attempts).toBeGreaterThan(2);
    expect([await valueOf("a"), await valueOf("b")]).toEqual([a + 2, b + 2]);
  });

  test("is given up with a reason when it loses every time", async () => {
    let attempts = 0;
    const hopeless = transact(orm, async (em) => {
      attempts++;
      await em.execute("do $$ begin raise exception 'lost' using errcode = '40001'; end $$");
    });
    await expect(hopeless).rejects.toMatchObject({ reason: "TRANSACTION_CONFLICT" });
    expect(attempts).toBe(5);
  });

  test("sees one state of the database in snapshot mode, and changes nothing", async () => {
    const seen = await transact(
      orm,
      async (em) => {
        const [before] = await em.execute<{ value: number }[]>("select value from counters where id = 'a'");
        await orm.em.fork().execute("update counters set value = value + 1 where id = 'a'");
        const [after] = await em.execute<{ value: number }[]>("select value from counters where id = 'a'");
        return [before?.value, after?.value];
      },
      { mode: "snapshot" },
    );
    expect(seen[0]).toBe(seen[1]);
    const written = transact(orm, (em) => em.execute("update counters set value = 0"), { mode: "snapshot" });
    await expect(written).rejects.toThrow("read-only");
  });
});

/** Waits until so many connections sleep. */
async function sleepersAre(count: number): Promise<void> {
  const sleeping = "select 1 from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()";
  await expect.poll(async () => (await orm.em.fork().execute(sleeping)).length).toBe(count);
}

describe("connections that break", () => {
  const terminate =
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";

  test("refuse what was running on them, and are replaced", async () => {
    const sleeping = transact(orm, (em) => em.execute("select pg_sleep(30)"));
    const refused = expect(sleeping).rejects.toMatchObject({ reason: "DATABASE_UNAVAILABLE", retryAfterMs: 1_000 });
    await sleepersAre(1);
    await orm.em.fork().execute(terminate);
    await refused;
    expect(await valueOf("a")).toBeGreaterThan(0);
  });

  test("are not lost to the pool, also when they break within transactions again and again", async () => {
    for (let round = 0; round < 6; round++) {
      const broken = Array.from({ length: 3 }, () =>
        transact(orm, (em) => em.execute("select pg_sleep(30)")).catch(String),
      );
      await sleepersAre(3);
      await orm.em.fork().execute(terminate);
      await Promise.all(broken);
    }
    const values = await Promise.all(Array.from({ length: 12 }, () => valueOf("a")));
    expect(values).toHaveLength(12);
  });

  test("that were idle are replaced, and never end the process", async () => {
    await Promise.all(Array.from({ length: 4 }, () => orm.em.fork().execute("select pg_sleep(0.02)")));
    const before = warnings.length;
    const terminated = await orm.em.fork().execute<unknown[]>(terminate);
    await expect.poll(() => warnings.length - before).toBe(terminated.length);
    expect(await Promise.all(Array.from({ length: 8 }, () => valueOf("b")))).toHaveLength(8);
  });
});
