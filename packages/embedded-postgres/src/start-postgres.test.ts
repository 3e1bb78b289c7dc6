import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { ensureDatabase, withDatabase } from "./ensure-database.ts";
import { startPostgres, type PostgresOptions, type RunningPostgres } from "./start-postgres.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "helix zed postgres "));
const durable = path.join(scratch, "a durable cluster");

beforeAll(() => {
  chmodSync(scratch, 0o755);
});

afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

async function start(options: PostgresOptions): Promise<RunningPostgres> {
  const postgres = await startPostgres(options);
  onTestFinished(() => postgres.stop());
  return postgres;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

describe("a durable cluster", () => {
  test("listens on the loopback interface only and keeps its data over a stop", async () => {
    const first = await start({ directory: durable });
    const database = await ensureDatabase(first.url, "kept");
    await query(database, "create table fact as select 42 as answer");
    expect(await query(database, "show listen_addresses")).toEqual([{ listen_addresses: "127.0.0.1" }]);
    await first.stop();
    expect(first.isAlive()).toBe(false);
    const second = await start({ directory: durable });
    expect(second.adopted).toBe(false);
    expect(await query(withDatabase(second.url, "kept"), "select answer from fact")).toEqual([{ answer: 42 }]);
  });

  test("asks for its password, which only we can read", async () => {
    const { url } = await start({ directory: durable });
    expect(statSync(path.join(durable, "password")).mode & 0o777).toBe(0o600);
    const stranger = new URL(url);
    stranger.password = "guessed";
    await expect(ensureDatabase(stranger.href, "postgres")).rejects.toThrow(
      /^The database postgres at 127\.0\.0\.1:\d+ cannot be used: password authentication failed for user "helix_zed"$/,
    );
  });

  test("that is running already is adopted and can be stopped", async () => {
    const first = await start({ directory: durable });
    const second = await start({ directory: durable });
    expect(second).toMatchObject({ adopted: true, url: first.url });
    await second.stop();
    expect(first.isAlive()).toBe(false);
  });

  test("is not mistaken for another server that answers at its old port", async () => {
    const other = await start({ directory: path.join(scratch, "other"), ephemeral: true });
    const pidFile = readFileSync(path.join(other.dataFolder, "postmaster.pid"));
    writeFileSync(path.join(durable, "data", "postmaster.pid"), pidFile);
    // The server in that file lives: PostgreSQL itself refuses, rather than that we adopt or harm the other.
    await expect(startPostgres({ directory: durable })).rejects.toThrow(/^PostgreSQL did not start: .*postmaster/);
    expect(other.isAlive()).toBe(true);
    rmSync(path.join(durable, "data", "postmaster.pid"));
  });

  test("starts although the process id in its old file belongs to somebody else now", async () => {
    const lines = [process.pid, path.join(durable, "data"), 1, 1, "", "127.0.0.1", "", "ready   "];
    writeFileSync(path.join(durable, "data", "postmaster.pid"), `${lines.join("\n")}\n`);
    expect(await start({ directory: durable })).toMatchObject({ adopted: false });
  });

  test("says in one line that the port is in use", async () => {
    const { url } = await start({ directory: path.join(scratch, "other"), ephemeral: true });
    const port = Number(new URL(url).port);
    await expect(startPostgres({ directory: durable, port })).rejects.toThrow(
      `PostgreSQL did not start: port ${port} is in use.`,
    );
  });

  test("of another major version is refused, untouched", async () => {
    const directory = path.join(scratch, "old");
    const data = path.join(directory, "data");
    mkdirSync(data, { recursive: true });
    writeFileSync(path.join(directory, "password"), "secret\n");
    writeFileSync(path.join(data, "PG_VERSION"), "11\n");
    const owner = statSync(path.join(durable, "data"));
    if (process.getuid?.() === 0) chownSync(data, owner.uid, owner.gid);
    await expect(startPostgres({ directory })).rejects.toThrow(
      /was made by PostgreSQL 11; this is \d+\. Move it away\.$/,
    );
  });
});

describe("a server whose starter is killed", () => {
  test("stops by itself", async () => {
    const module = path.join(import.meta.dirname, "start-postgres.ts");
    const script = `const { startPostgres } = await import(process.argv[1]);
      console.log((await startPostgres({ directory: process.argv[2] })).url);
      setInterval(() => {}, 1000);`;
    const starter = spawn(process.execPath, ["--input-type=module", "-e", script, module, durable], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [url] = await once(starter.stdout, "data");
    const client = new Client({ connectionString: `${String(url).trim()}/postgres` });
    await client.connect();
    const gone = new Promise((resolve) => client.on("error", resolve));
    starter.kill("SIGKILL");
    expect(String(await gone)).toContain("terminating connection");
    expect(await start({ directory: durable })).toMatchObject({ adopted: false });
  });
});

describe.runIf(process.getuid?.() === 0)("a cluster below a closed folder", () => {
  afterEach(() => {
    rmSync(path.join(scratch, "closed"), { recursive: true, force: true });
  });

  test("keeps its data where the server's account can go", async () => {
    mkdirSync(path.join(scratch, "closed"), { mode: 0o700 });
    const postgres = await start({ directory: path.join(scratch, "closed", "cluster"), ephemeral: true });
    expect(postgres.dataFolder).not.toContain("closed");
    expect(await query(`${postgres.url}/postgres`, "select 1 as one")).toEqual([{ one: 1 }]);
    await postgres.stop();
    rmSync(path.dirname(postgres.dataFolder), { recursive: true });
  });
});

describe("ensureDatabase", () => {
  test("makes a database once, whoever asks at the same time", async () => {
    const { url } = await start({ directory: path.join(scratch, "other"), ephemeral: true });
    const urls = await Promise.all([1, 2, 3].map(() => ensureDatabase(url, "asked twice")));
    expect(new Set(urls)).toEqual(new Set([withDatabase(url, "asked twice")]));
    expect(await query(urls[0] ?? "", "select current_database() as name")).toEqual([{ name: "asked twice" }]);
  });

  test("says in one line that nothing listens, without the password", async () => {
    const failure = await ensureDatabase("postgresql://me:secret@localhost:1", "any").catch(String);
    expect(failure).toMatch(/^Error: The database any at localhost:1 cannot be used: .*ECONNREFUSED.*$/);
    expect(failure).not.toContain("secret");
  });
});
