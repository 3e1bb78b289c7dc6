import { emptyDatabase } from "@helix-zed/harness/fresh-database.ts";
import { describe, expect, test } from "vitest";
import { migrate, sqlMigration } from "./migrate.ts";
import { DatabaseStartError } from "./database-start-error.ts";
import { openDatabase } from "./open-database.ts";

const first = sqlMigration("0001-first", "create table t (a int); create index t_a on t (a);");
const second = sqlMigration(
  "0002-second",
  "alter table t add b text not null default '?'; insert into t (a) values (1);",
);
const applicationName = "test";

describe("migrations", () => {
  test("run in their order, each once, and tell what was missing", async () => {
    const url = await emptyDatabase();
    expect(await migrate({ url, applicationName, migrations: [first] })).toEqual(["0001-first"]);
    expect(await migrate({ url, applicationName, migrations: [first, second] })).toEqual(["0002-second"]);
    expect(await migrate({ url, applicationName, migrations: [first, second] })).toEqual([]);
  });

  test("run once when ten processes start together", async () => {
    const url = await emptyDatabase();
    const migrations = [first, second];
    const runs = await Promise.all(Array.from({ length: 10 }, () => migrate({ url, applicationName, migrations })));
    expect(runs.flat()).toEqual(["0001-first", "0002-second"]);
    const orm = await openDatabase({ url, applicationName, entities: [] });
    expect(await orm.em.fork().execute("select a, b from t")).toEqual([{ a: 1, b: "?" }]);
    await orm.close(true);
  });

  test("leave nothing behind when a step fails, and can be run again", async () => {
    const url = await emptyDatabase();
    const broken = sqlMigration("0002-second", "alter table t add b text; select no_such_function();");
    await expect(migrate({ url, applicationName, migrations: [first, broken] })).rejects.toThrow(/no_such_function/);
    expect(await migrate({ url, applicationName, migrations: [first, second] })).toEqual(["0001-first", "0002-second"]);
  });
});

describe("a schema that is newer than the process", () => {
  const compatible = sqlMigration("0002-new-table", "create table u (a int);");
  const breaking = sqlMigration("0003-breaking-new-words", "alter table t rename a to b;");

  test("is used by a process that it does not break", async () => {
    const url = await emptyDatabase();
    await migrate({ url, applicationName, migrations: [first, compatible] });
    expect(await migrate({ url, applicationName, migrations: [first] })).toEqual([]);
  });

  test("is refused in one plain line by a process that it breaks, and not by one that knows it", async () => {
    const url = await emptyDatabase();
    const migrations = [first, compatible, breaking];
    await migrate({ url, applicationName, migrations });
    const refused = migrate({ url, applicationName, migrations: [first, compatible] });
    await expect(refused).rejects.toThrow(DatabaseStartError);
    await expect(refused).rejects.toThrow(
      /^The database was migrated by a newer version .*0003-breaking-new-words.*\.$/,
    );
    expect(await migrate({ url, applicationName, migrations })).toEqual([]);
  });
});

describe("a database that cannot be used", () => {
  test.each([
    ["nobody listens", "postgresql://u:secret@127.0.0.1:1/none"],
    ["the host is unknown", "postgresql://u:secret@nowhere.invalid/none"],
  ])("is told in one line without the password: %s", async (_why, url) => {
    const attempts = [
      migrate({ url, applicationName, migrations: [] }),
      openDatabase({ url, applicationName, entities: [] }),
    ];
    for (const outcome of await Promise.allSettled(attempts)) {
      const error: unknown = outcome.status === "rejected" ? outcome.reason : undefined;
      expect(error).toBeInstanceOf(DatabaseStartError);
      expect(String(error)).toMatch(
        /^DatabaseStartError: The database \S+\/none cannot be used: .+\. Check DATABASE_URL\.$/,
      );
      expect(String(error)).not.toMatch(/secret|\n/);
    }
  });

  test("is told to be missing where the server is there", async () => {
    const url = new URL(await emptyDatabase());
    url.pathname = "/missing";
    await expect(openDatabase({ url: url.href, applicationName, entities: [] })).rejects.toThrow(
      /"missing" does not exist/,
    );
  });
});
