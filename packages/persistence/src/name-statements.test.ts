import { freshDatabase } from "@helix-zed/harness/fresh-database.ts";
import { sqlMigration, migrate } from "./migrate.ts";
import type { MikroORM } from "@mikro-orm/postgresql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closeDatabase } from "./close-database.ts";
import { openDatabase } from "./open-database.ts";
import { StatementNames } from "./statement-names.ts";
import { statementsOf } from "./statements.ts";
import { inTenant } from "./tenant-scope.ts";
import { transactDirectly } from "./transact.ts";

const migrations = [sqlMigration("0001-words", "create table words (id int primary key, word text not null)")];

describe("names of statements", () => {
  test("are for what comes for the third time, and stay", () => {
    const names = new StatementNames();
    const given = Array.from({ length: 4 }, () => names.nameOf("select $1"));
    expect(given).toEqual([undefined, undefined, "statement_1", "statement_1"]);
  });

  test("are few, however many statements there are", () => {
    const names = new StatementNames();
    for (let number = 0; number < 1_000; number++) {
      for (let sighting = 0; sighting < 3; sighting++) names.nameOf(`select $1 + ${number}`);
    }
    expect(names.nameOf("select $1 + 99")).toBe("statement_100");
    expect(names.nameOf("select $1 + 999")).toBeUndefined();
  });

  test("are new ones after all were forgotten", () => {
    const names = new StatementNames();
    for (let sighting = 0; sighting < 3; sighting++) names.nameOf("select $1");
    names.forget();
    for (let sighting = 0; sighting < 2; sighting++) expect(names.nameOf("select $1")).toBeUndefined();
    expect(names.nameOf("select $1")).toBe("statement_2");
  });
});

describe.each([{ rowSecurity: false }, { rowSecurity: true }])("a connection, row security $rowSecurity", (how) => {
  let orm: MikroORM;
  let url: string;
  beforeAll(async () => {
    url = await freshDatabase(`persistence-names-${how.rowSecurity}`, async (at) => {
      await migrate({ url: at, applicationName: "test", migrations, ...how });
    });
    orm = await openDatabase({ url, applicationName: "test", entities: [], connectionsMax: 1, ...how });
  });
  afterAll(() => closeDatabase(orm));

  const run = (text: string, values: readonly unknown[]) =>
    inTenant("ada", () => statementsOf(orm).run<Record<string, unknown>>(text, values));
  const inTransaction = (text: string, values: readonly unknown[]) =>
    inTenant("ada", () => transactDirectly(orm, (unit) => unit.run<Record<string, unknown>>(text, values)));
  const addColumn = async (name: string): Promise<void> => {
    const step = sqlMigration(`0002-${name}`, `alter table words add column ${name} int not null default 7`);
    await migrate({ url, applicationName: "test", migrations: [...migrations, step], ...how });
  };

  test("prepares what it is sent again and again", async () => {
    const text = "select $1::int + 1 as sum";
    for (let count = 0; count < 3; count++) expect(await run(text, [count])).toEqual([{ sum: count + 1 }]);
    expect(await inTransaction(text, [41])).toEqual([{ sum: 42 }]);
    const prepared = await run("select name from pg_prepared_statements where statement = $1", [text]);
    expect(prepared).toHaveLength(1);
  });

  test("prepares anew what a migration changed meanwhile", async () => {
    const text = "select * from words where id = $1";
    await run("insert into words (id, word) values ($1, $2)", [1, "one"]);
    for (let count = 0; count < 4; count++) expect(await run(text, [1])).toEqual([{ id: 1, word: "one" }]);
    await addColumn("a");
    expect(await run(text, [1])).toEqual([{ id: 1, word: "one", a: 7 }]);
    for (let count = 0; count < 4; count++) await run(text, [1]);
    await addColumn("b");
    expect(await inTransaction(text, [1])).toEqual([{ id: 1, word: "one", a: 7, b: 7 }]);
  });

  test("goes on after a statement that failed", async () => {
    const text = "select 1 / $1::int as ratio";
    for (let count = 0; count < 4; count++) await expect(run(text, [0])).rejects.toThrow("division by zero");
    expect(await run(text, [1])).toEqual([{ ratio: 1 }]);
  });
});
