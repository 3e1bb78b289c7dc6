// Every RPC is sent what nobody should send, made from the descriptors: messages within and beyond every limit, texts
// that mean something to a database or a shell, and bytes that are no message at all. Every answer must be a good one: it
// says what is wrong with the request, and nothing about how we are made.

import { sized } from "@helix-zed/harness/test-size.ts";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ourServices } from "../harness/our-services.ts";
import { arbitraryBody } from "./garbage/arbitrary-body.ts";
import { callRpc } from "./garbage/call-rpc.ts";
import { GarbageStage } from "./garbage/garbage-stage.ts";
import { PATIENCE_MS, pelt } from "./garbage/pelt.ts";

/** For each RPC. */
const REQUESTS = sized({ normal: 2_000, full: 10_000 });

const services = await ourServices();

describe("garbage", () => {
  let stage: GarbageStage;

  beforeAll(async () => {
    stage = await GarbageStage.open();
  }, 90_000);
  afterAll(() => stage.close());

  test.each(services)(
    "sent to every RPC of $typeName is answered well",
    async (service) => {
      const known = await stage.somethingToAskAbout();
      const [person, runner] = stage.tokens;
      const token = fc.constantFrom(person, person, runner);
      const http = stage.serverOf(service);
      const targets = service.methods.map((method) => ({
        name: method.name,
        garbage: fc.record({ method: fc.constant(method), token, body: arbitraryBody(method.input, known) }),
        send: (call: Parameters<typeof callRpc>[1]) => callRpc(http, call),
      }));
      await pelt(targets, { requests: REQUESTS, known });
    },
    PATIENCE_MS,
  );

  test("leaves the services up, the same processes as before", async () => {
    expect(await stage.damage()).toEqual([]);
  });
});
