import { systemWorld } from "@helix-zed/domain";
import { emptyDatabase } from "@helix-zed/harness/fresh-database.ts";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Doorbell } from "./doorbell.ts";
import { listenTo } from "./listen-to.ts";

const LONG_MS = 15_000;
const stop = new AbortController();
const doorbell = new Doorbell();
const warnings: string[] = [];
let admin: Client;
let listening: Promise<void>;

beforeAll(async () => {
  const url = await emptyDatabase();
  admin = new Client({ connectionString: url });
  await admin.connect();
  const all = doorbell.listen();
  const options = { url, applicationName: "listener", channel: "Odd Channel", doorbell, world: systemWorld() };
  listening = listenTo({ ...options, signal: stop.signal, warn: (message) => warnings.push(message) });
  await all.wait(LONG_MS, stop.signal);
  all.close();
});
afterAll(async () => {
  stop.abort();
  await listening;
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
});
