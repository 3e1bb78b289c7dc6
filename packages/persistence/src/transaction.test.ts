import { freshDatabase } from "@helix-zed/harness/fresh-database.ts";
import type { MikroORM } from "@mikro-orm/postgresql";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { closeDatabase } from "./close-database.ts";
import { migrate, sqlMigration } from "./migrate.ts";
import { openDatabase } from "./open-database.ts";
import { statementsOf } from "./statements.ts";
import { inTenant } from "./tenant-scope.ts";
import { transactDirectly } from "./transact.ts";

const migrations = [
  sqlMigration(
    "0001-words",
    "create table words (id int primary key, word text not null); grant all on words to public",
  ),
];
const add = "insert into words (id, word) values ($1, $2)";

let url: string;
let orm: MikroORM;
beforeAll(async () => {
  url = await freshDatabase("persistence-transaction", async (at) => {
    await migrate({ url: at, applicationName: "test", migrations, rowSecurity: true });
  });
  orm = await openDatabase({ url, applicationName: "direct", entities: [], rowSecurity: true, connectionsMax: 2 });
});
afterAll(() => closeDatabase(orm));
afterEach(() => asAdmin("delete from words"));

function words(): Promise<string[]> {
  return inTenant("ada", async () => {
    const rows = await statementsOf(orm).run<{ word: string }>("select word from words order by id", []);
    return rows.map(({ word }) => word);
  });
}

async function asAdmin(statement: string): Promise<void> {
  const admin = new Client({ connectionString: url });
  await admin.connect();
  try {
    await admin.query(statement);
  } finally {
    await admin.end();
  }
}

describe("a transaction that sends its statements itself", () => {
  test("runs for its tenant from its first statement to its last", async () => {
    const tenant = "select current_setting('helix_zed.tenant') as tenant";
    const seen = await inTenant("ada", () =>
      transactDirectly(orm, async (unit) => [...(await unit.run(tenant, [])), ...(await unit.run(tenant, []))]),
    );
    expect(seen).toEqual([{ tenant: "ada" }, { tenant: "ada" }]);
  });

  test("shows nobody what it has done before it is committed", async () => {
    await transactDirectly(orm, async (unit) => {
      await unit.run(add, [1, "one"]);
      expect(await words()).toEqual([]);
    });
    expect(await words()).toEqual(["one"]);
  });

  test("writes its last statements with the commit, in their order", async () => {
    await transactDirectly(orm, async (unit) => {
      unit.finishWith([
        { text: add, values: [1, "one"] },
        { text: "update words set word = word || $1", values: ["!"] },
      ]);
    });
    expect(await words()).toEqual(["one!"]);
  });

  test("is undone as a whole when one of its last statements fails, whatever was sent after that", async () => {
    for (let round = 0; round < 5; round++) {
      const failed = transactDirectly(orm, async (unit) => {
        await unit.run(add, [1, "one"]);
        unit.finishWith([
          { text: add, values: [2, "two"] },
          { text: add, values: [1, "again"] },
          { text: add, values: [3, "three"] },
        ]);
      });
      await expect(failed).rejects.toMatchObject({ code: "23505" });
      expect(await words()).toEqual([]);
    }
  });

  test("is undone as a whole when its work fails", async () => {
    const failed = transactDirectly(orm, async (unit) => {
      await unit.run(add, [1, "one"]);
      throw new Error("no");
    });
    await expect(failed).rejects.toThrow("no");
    expect(await words()).toEqual([]);
  });

  test("does not pass for committed when somebody has caught what failed in it", async () => {
    const failed = transactDirectly(orm, async (unit) => {
      await unit.run(add, [1, "one"]);
      await unit.run("select 1 / 0", []).catch(() => {});
    });
    await expect(failed).rejects.toThrow("had failed");
    expect(await words()).toEqual([]);
  });

  test("prepares its statements, and goes on after one that failed where it was prepared", async () => {
    const text = "select 1 / $1::int as ratio";
    const ratio = (value: number) => transactDirectly(orm, (unit) => unit.run(text, [value]));
    for (let round = 0; round < 6; round++) await expect(ratio(0)).rejects.toThrow("division by zero");
    for (let round = 0; round < 6; round++) expect(await ratio(1)).toEqual([{ ratio: 1 }]);
    const prepared = "select 1 as one from pg_prepared_statements where statement = $1 limit 1";
    expect(await statementsOf(orm).run(prepared, [text])).toEqual([{ one: 1 }]);
  });

  test("refuses what was running on a connection that ended, and gives its place back to the pool", async () => {
    for (let round = 0; round < 4; round++) {
      const lost = transactDirectly(orm, async (unit) => {
        await unit.run("select 1", []);
        await asAdmin(
          "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'direct' and pid <> pg_backend_pid()",
        );
        await unit.run("select 2", []);
      });
      await expect(lost).rejects.toMatchObject({ reason: "DATABASE_UNAVAILABLE" });
    }
    expect(await words()).toEqual([]);
  });

  test("takes no connection if it does nothing", async () => {
    const pool = await orm.em.getConnection().getNativeClient();
    const acquired: unknown[] = [];
    const count = (client: unknown): void => void acquired.push(client);
    pool.on("acquire", count);
    expect(await transactDirectly(orm, async () => "nothing")).toBe("nothing");
    pool.off("acquire", count);
    expect(acquired).toEqual([]);
  });
});
