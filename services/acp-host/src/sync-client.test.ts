import type { SyncEvent } from "@helix-zed/sync-protocol";
import { pino } from "pino";
import { afterEach, describe, expect, test } from "vitest";
import { Outbox } from "./outbox.ts";
import { SyncClient } from "./sync-client.ts";
import { SimulatedWorld } from "./testing/simulated-world.ts";
import { TestBridge } from "./testing/test-bridge.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

async function setUp(options: { readonly autoPong?: boolean } = {}) {
  const bridge = await TestBridge.start(options);
  const world = new SimulatedWorld();
  const outbox = new Outbox();
  const links: string[] = [];
  let changed = Promise.withResolvers<void>();
  const client = new SyncClient({
    url: `ws://${bridge.address}/sync`,
    token: "",
    skipTlsVerify: false,
    world,
    log: pino({ level: "silent" }),
    outbox,
    onFrame: () => undefined,
    onLink: (state) => {
      links.push(state);
      changed.resolve();
      changed = Promise.withResolvers();
    },
  });
  open.push(bridge, client);
  const nextLinkChange = (): Promise<void> => changed.promise;
  return { bridge, world, outbox, client, links, nextLinkChange };
}

function failed(request_id: string): SyncEvent {
  return { event_type: "chat_response_error", data: { request_id, error: "" } };
}

describe("the connection to the server", () => {
  test("has no Authorization without a token, and pings before what waited", async () => {
    const { bridge, client } = await setUp();
    client.send(failed("R1"));
    client.start();
    await bridge.waitFor("chat_response_error");
    expect(bridge.links).toEqual([{ path: "/sync", authorization: undefined }]);
    expect(bridge.events.map((event) => event.event_type)).toEqual(["ping", "chat_response_error"]);
  });

  test("is tried again after 1, 2, 4 … 30 s, and after 1 s again once it stood", async () => {
    const { bridge, client, world, links, nextLinkChange } = await setUp();
    bridge.refuseLinks(true);
    client.start();
    await nextLinkChange();
    for (const pauseMs of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      world.advance(pauseMs - 1);
      const before = links.length;
      const change = nextLinkChange();
      world.advance(1);
      await change;
      expect(links.length).toBe(before + 1);
    }
    bridge.refuseLinks(false);
    let change = nextLinkChange();
    world.advance(30_000);
    await change;
    expect(links.at(-1)).toBe("up");
    change = nextLinkChange();
    bridge.dropLink();
    await change;
    change = nextLinkChange();
    world.advance(1_000);
    await change;
    expect(links.slice(-2)).toEqual(["down", "up"]);
  });

  test("lets go of an event only when the server has answered for it", async () => {
    const { bridge, client, outbox, nextLinkChange, world } = await setUp({ autoPong: false });
    client.start();
    client.send(failed("R1"));
    await bridge.waitFor("chat_response_error");
    expect(outbox.lastSent).toBeDefined();
    let change = nextLinkChange();
    bridge.dropLink();
    await change;
    change = nextLinkChange();
    world.advance(1_000);
    await change;
    await bridge.waitFor("chat_response_error", (event) => event.link === 2);
    expect(bridge.events.map((event) => event.event_type)).toEqual([
      "ping",
      "chat_response_error",
      "ping",
      "chat_response_error",
    ]);
  });

  test("is given up when the server does not answer for 30 s", async () => {
    const { client, world, links, nextLinkChange } = await setUp({ autoPong: false });
    client.start();
    await nextLinkChange();
    const change = nextLinkChange();
    world.advance(30_000);
    await change;
    expect(links).toEqual(["up", "down"]);
  });
});
