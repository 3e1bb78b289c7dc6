import { emptyDatabase } from "@helix-zed/harness/fresh-database.ts";
import { describe, expect, test } from "vitest";
import { closeDatabase } from "./close-database.ts";
import { openDatabase } from "./open-database.ts";

async function open() {
  return openDatabase({ url: await emptyDatabase(), applicationName: "test", entities: [], connectionsMax: 2 });
}

describe("closing a database", () => {
  test("lets what is running finish, also what still waits for a connection", async () => {
    const orm = await open();
    const running = Array.from({ length: 6 }, () => orm.em.fork().execute("select pg_sleep(0.05), 1 as n"));
    await closeDatabase(orm);
    expect(await Promise.all(running)).toHaveLength(6);
  });

  test("takes no time when nothing is running", async () => {
    const orm = await open();
    const startedMs = performance.now();
    await closeDatabase(orm);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });

  test("is not held up for ever by what does not finish", async () => {
    const orm = await open();
    const stuck = orm.em.fork().execute("select pg_sleep(6)").catch(String);
    const startedMs = performance.now();
    await closeDatabase(orm);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    await stuck;
  });
});
