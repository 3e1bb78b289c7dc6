import { systemWorld } from "@helix-zed/domain";
import { emptyDatabase } from "@helix-zed/harness/fresh-database.ts";
import { TcpProxy } from "@helix-zed/harness/tcp-proxy.ts";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Doorbell } from "./doorbell.ts";
import { listenTo } from "./listen-to.ts";

const LONG_MS = 15_000;
const SILENCE_MS_MAX = 200;
const stop = new AbortController();
const doorbell = new Doorbell();
const warnings: string[] = [];
let admin: Client;
let proxy: TcpProxy;
let listening: Promise<void>;

beforeAll(async () => {
  const url = await emptyDatabase();
  admin = new Client({ connectionString: url });
  await admin.connect();
  const all = doorbell.listen();
  const { hostname: host, port } = new URL(url);
  proxy = await TcpProxy.start({ host, port: Number(port) });
  const place = { url: proxy.through(url), applicationName: "listener", channel: "Odd Channel" };
  const options = { ...place, doorbell, world: systemWorld(), silenceMsMax: SILENCE_MS_MAX };
  listening = listenTo({ ...options, signal: stop.signal, warn: (message) => warnings.push(message) });
  await all.wait(LONG_MS, stop.signal);
  all.close();
});
afterAll(async () => {
  stop.abort();
  await listening;
  await proxy.close();
  await admin.end();
});

describe("listening", () => {
  test("rings for the topic that a notification carries", async () => {
    const [mine, other] = [doorbell.listen("mine"), doorbell.listen("other")];
    const heard = mine.wait(LONG_MS, stop.signal);
    await admin.query(`notify "Odd Channel", 'mine'`);
    await heard;
    const startedMs = performance.now();
    await other.wait(30, stop.signal);
    expect(performance.now() - startedMs).toBeGreaterThan(20);
  });

  test("rings for all when a notification carries nothing", async () => {
    const ear = doorbell.listen("mine");
    const heard = ear.wait(LONG_MS, stop.signal);
    await admin.query(`notify "Odd Channel"`);
    await heard;
  });

  test("heals when its connection is terminated, and rings for all that may have been missed", async () => {
    const ear = doorbell.listen("mine");
    const healed = ear.wait(LONG_MS, stop.signal);
    await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'listener'");
    await healed;
    expect(warnings.join()).toMatch(/Listening to Odd Channel broke off/);
    const heard = ear.wait(LONG_MS, stop.signal);
    await admin.query(`notify "Odd Channel", 'mine'`);
    await heard;
  });

  test("heals when the network has lost its connection without a word", async () => {
    const ear = doorbell.listen("mine");
    const healed = ear.wait(LONG_MS, stop.signal);
    expect(proxy.freeze()).toBe(1);
    await healed;
    expect(warnings.at(-1)).toMatch(/said nothing for 200 ms/);
    const heard = ear.wait(LONG_MS, stop.signal);
    await admin.query(`notify "Odd Channel", 'mine'`);
    await heard;
  });

  test("stays connected for as long as the database answers", async () => {
    const [before, told] = [await backend(), warnings.length];
    const ear = doorbell.listen("mine");
    await ear.wait(5 * SILENCE_MS_MAX, stop.signal);
    expect(await backend()).toBe(before);
    expect(warnings).toHaveLength(told);
  });
});

/** The process that serves the listener. */
async function backend(): Promise<number | undefined> {
  const { rows } = await admin.query<{ pid: number }>(
    "select pid from pg_stat_activity where application_name = 'listener' and backend_type = 'client backend'",
  );
  expect(rows.length).toBeGreaterThan(0);
  return rows.at(-1)?.pid;
}
