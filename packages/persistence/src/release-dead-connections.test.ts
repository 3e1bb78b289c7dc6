import { emptyDatabase } from "@helix-zed/harness/fresh-database.ts";
import type { MikroORM } from "@mikro-orm/postgresql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase } from "./open-database.ts";
import { transact } from "./transact.ts";

let orm: MikroORM;

beforeAll(async () => {
  orm = await openDatabase({
    url: await emptyDatabase(),
    applicationName: "test",
    entities: [],
    connectionsMax: 2,
  });
});

afterAll(() => orm.close(true));

const dying = (): Promise<unknown> =>
  transact(orm, (em) => em.execute("select pg_terminate_backend(pg_backend_pid())"));

describe("a connection that dies in the middle of a transaction", () => {
  test("costs that transaction, and no place in the pool", async () => {
    for (let round = 0; round < 5; round++)
      await expect(dying()).rejects.toMatchObject({ reason: "DATABASE_UNAVAILABLE" });
    const answers = await Promise.all(
      [1, 2, 3].map((n) => transact(orm, (em) => em.execute("select ?::int as n", [n]))),
    );
    expect(answers).toEqual([[{ n: 1 }], [{ n: 2 }], [{ n: 3 }]]);
  });
});
