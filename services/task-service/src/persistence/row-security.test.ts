import { databaseErrorCode, inTenant, openDatabase } from "@helix-zed/persistence";
import { emptyDatabase } from "@helix-zed/harness/fresh-database.ts";
import type { MikroORM } from "@mikro-orm/postgresql";
import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { getTask } from "../application/get-task.ts";
import { person, TestApp } from "../testing/test-app.ts";
import { migrateTaskService } from "./migrate.ts";

const TENANTS = ["user:ada", "user:bob"] as const;
/** Tables that say nothing of any tenant. */
const COMMON_TABLES = ["change_head", "mikro_orm_migrations"];

let app: TestApp;
/** The service's door, without the first wall: statements go through as they are. */
let door: MikroORM;

beforeAll(async () => {
  app = await TestApp.open();
  door = await open(app.url, 4);
  for (const user of ["ada", "bob"]) await app.createTask({ requestId: randomUUID() }, person(user));
});

afterAll(async () => {
  await door.close(true);
  await app.close();
});

function open(url: string, connectionsMax: number): Promise<MikroORM> {
  return openDatabase({ url, applicationName: "test", entities: [], rowSecurity: true, connectionsMax });
}

function sql<Row extends object>(statement: string, values: readonly unknown[] = [], orm = door): Promise<Row[]> {
  return orm.em.fork().execute<Row[]>(statement, [...values]);
}

async function tenantsIn(table: string, orm = door): Promise<string[]> {
  const rows = await sql<{ tenant: string }>(`select distinct tenant from ${table} order by 1`, [], orm);
  return rows.map(({ tenant }) => tenant);
}

async function guardedTables(): Promise<string[]> {
  const rows = await app.sql<{ table_name: string }>(
    `select table_name from information_schema.columns where table_schema = 'public' and column_name = 'tenant'`,
  );
  return rows.map(({ table_name }) => table_name);
}

function insertForBob(): Promise<unknown> {
  const values = [randomUUID()];
  return sql("insert into request_ledger (tenant, request_id, payload_hash) values ('user:bob', ?, '')", values);
}

function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(() => "none", databaseErrorCode);
}

describe("row-level security", () => {
  test("shows a statement without a condition the rows of its tenant alone, in every table", async () => {
    for (const table of await guardedTables()) {
      for (const tenant of TENANTS) expect(await inTenant(tenant, () => tenantsIn(table)), table).toEqual([tenant]);
    }
  });

  test("shows nothing and changes nothing where no tenant is set", async () => {
    for (const table of await guardedTables()) {
      expect(await tenantsIn(table), table).toEqual([]);
      expect(await sql(`update ${table} set tenant = tenant returning 1`), table).toEqual([]);
      expect(await sql(`delete from ${table} returning 1`), table).toEqual([]);
    }
    expect(await door.em.fork().transactional((em) => em.execute("select from tasks"))).toEqual([]);
  });

  test("shows all tenants to those who say that they act for all", async () => {
    for (const table of await guardedTables()) expect(await inTenant(null, () => tenantsIn(table))).toEqual(TENANTS);
  });

  test("changes and deletes no row of another tenant", async () => {
    const bobs = "tenant = 'user:bob'";
    await inTenant("user:ada", async () => {
      for (const table of await guardedTables()) {
        expect(await sql(`update ${table} set tenant = tenant where ${bobs} returning 1`), table).toEqual([]);
        expect(await sql(`delete from ${table} where ${bobs} returning 1`), table).toEqual([]);
      }
    });
  });

  test("takes no row for another tenant, nor for nobody", async () => {
    expect(await codeOf(inTenant("user:ada", insertForBob))).toBe("42501");
    expect(await codeOf(insertForBob())).toBe("42501");
    expect(await codeOf(inTenant("user:bob", insertForBob))).toBe("none");
    expect(await codeOf(inTenant("user:ada", () => sql("update tasks set tenant = 'user:bob'")))).toBe("42501");
  });

  test("guards every table, and binds their owner too", async () => {
    const rows = await app.sql<{ relname: string; guarded: boolean }>(
      `select relname, relrowsecurity and relforcerowsecurity and exists (select from pg_policy where polrelid = pg_class.oid) as guarded
       from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1`,
    );
    expect(rows.filter(({ guarded }) => !guarded).map(({ relname }) => relname)).toEqual(COMMON_TABLES);
  });

  test("cannot be got around: the service's role owns nothing, and may neither switch it off nor truncate", async () => {
    const [role] = await sql(
      `select rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, current_user = rolname as is_current,
         exists (select from pg_class where relowner = r.oid) as owns from pg_roles r where rolname = current_user`,
    );
    const no = { rolsuper: false, rolbypassrls: false, rolcanlogin: false, rolcreaterole: false, owns: false };
    expect(role).toEqual({ ...no, is_current: true });
    for (const statement of [
      "alter table tasks disable row level security",
      "truncate tasks cascade",
      "drop table tasks",
    ])
      expect(await codeOf(inTenant(null, () => sql(statement))), statement).toBe("42501");
  });

  test("cannot be widened by a tenant's name", () => {
    expect(() => inTenant("all tenants", () => 0)).toThrow("no tenant");
    expect(() => inTenant("", () => 0)).toThrow("no tenant");
  });
});

describe("a pooled connection", () => {
  const names = ["user:ada", "user:bob", "o'neil\\", "*", "$1", "no;body"];

  test("keeps nothing of the tenant that it worked for", async () => {
    const orm = await open(app.url, 1);
    try {
      await inTenant("user:ada", () => orm.em.fork().transactional((em) => em.execute("select from tasks")));
      expect(await tenantsIn("tasks", orm)).toEqual([]);
      await codeOf(inTenant("user:bob", () => orm.em.fork().transactional((em) => em.execute("select 1 / 0"))));
      expect(await tenantsIn("tasks", orm)).toEqual([]);
      await codeOf(inTenant("user:bob", () => sql("select 1 / 0", [], orm)));
      expect(await tenantsIn("tasks", orm)).toEqual([]);
      expect(await inTenant("user:ada", () => tenantsIn("tasks", orm))).toEqual(["user:ada"]);
    } finally {
      await orm.close(true);
    }
  });

  test("serves many tenants at once without mixing them up, whatever they are called", async () => {
    const seen = "select current_setting('helix_zed.tenant') as tenant";
    const ask = async (tenant: string, index: number): Promise<string | undefined> => {
      const em = door.em.fork();
      if (index % 3 === 0)
        return (await em.transactional((unit) => unit.execute<{ tenant: string }[]>(seen)))[0]?.tenant;
      if (index % 3 === 1) return (await em.execute<{ tenant: string }[]>(seen))[0]?.tenant;
      const query = em.getKysely<{ tasks: { tenant: string } }>().selectFrom("tasks").select("tenant");
      const rows = await query.where("tenant", "is not", null).execute();
      return rows.length === 0 ? tenant : rows[0]?.tenant;
    };
    const asked = Array.from({ length: 300 }, (_, index) => names[index % names.length] ?? "");
    expect(await Promise.all(asked.map((name, index) => inTenant(name, () => ask(name, index))))).toEqual(asked);
  });
});

describe("the service's role", () => {
  const users: string[] = [];
  const databases: string[] = [];

  afterAll(async () => {
    await asSuperuser(async (client) => {
      for (const name of databases) await client.query(`drop database ${name} with (force)`);
      for (const user of users) await client.query(`drop role if exists ${user}_app, ${user}`);
    });
  });

  /** A user who is no superuser, and databases of theirs. */
  async function userWithDatabases(rights: string, count: number): Promise<{ user: string; urls: string[] }> {
    const user = `user_${randomUUID().slice(0, 8)}`;
    users.push(user);
    const names = Array.from({ length: count }, (_, index) => `${user}_${index}`);
    databases.push(...names);
    await asSuperuser(async (client) => {
      await client.query(`create role ${user} login ${rights}`);
      for (const name of names) await client.query(`create database ${name} owner ${user}`);
    });
    return { user, urls: names.map((name) => urlAs(user, name)) };
  }

  test("is made by a user who may make roles, also for many databases of one cluster at once", async () => {
    const { urls } = await userWithDatabases("createrole", 6);
    await Promise.all(urls.flatMap((url) => [migrateTaskService(url), migrateTaskService(url)]));
    for (const url of urls.slice(0, 2)) await works(url);
  });

  test("keeps even the owner of the tables from the rows", async () => {
    const { urls } = await userWithDatabases("createrole", 1);
    const [url = ""] = urls;
    await migrateTaskService(url);
    await works(url);
    const owner = new Client({ connectionString: url });
    await owner.connect();
    expect((await owner.query("select from tasks")).rowCount).toBe(0);
    await owner.end();
  });

  test("may be made beforehand for a user who may not make roles", async () => {
    const { user, urls } = await userWithDatabases("", 1);
    await asSuperuser((client) => client.query(`create role ${user}_app nologin; grant ${user}_app to ${user}`));
    await migrateTaskService(urls[0] ?? "");
    await works(urls[0] ?? "");
  });

  test("is asked for in plain words where it is missing and cannot be made", async () => {
    const { user, urls } = await userWithDatabases("", 1);
    await expect(migrateTaskService(urls[0] ?? "")).rejects.toThrow(
      `A superuser can mend that: create role ${user}_app nologin; grant ${user}_app to ${user};`,
    );
  });

  test("is refused if it could bypass the policies", async () => {
    const { user, urls } = await userWithDatabases("", 1);
    await asSuperuser((client) => client.query(`create role ${user}_app bypassrls; grant ${user}_app to ${user}`));
    await expect(migrateTaskService(urls[0] ?? "")).rejects.toThrow(/may bypass row-level security, and must not/);
  });

  test("gets its rights back where a database came without them", async () => {
    const url = await emptyDatabase();
    await migrateTaskService(url);
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query("revoke all on tasks, work_sessions from helix_zed_app");
    await client.end();
    await migrateTaskService(url);
    await works(url);
  });
});

/** Creates and reads a task, as the service does. */
async function works(url: string): Promise<void> {
  const replica = await TestApp.open({}, url);
  try {
    const { id: taskId } = await replica.createTask();
    expect(await getTask(replica, person(), { taskId })).toMatchObject({ id: taskId });
    const refused = getTask(replica, person("bob"), { taskId });
    await expect(refused).rejects.toMatchObject({ reason: "TASK_NOT_FOUND" });
  } finally {
    await replica.close();
  }
}

function urlAs(user: string | null, database: string): string {
  const url = new URL(inject("postgresUrl"));
  if (user !== null) url.username = user;
  url.pathname = `/${database}`;
  return url.href;
}

async function asSuperuser(use: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: urlAs(null, "postgres") });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}
