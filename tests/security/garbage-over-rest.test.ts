// What garbage.test.ts sends to the RPCs goes to every REST path of the gateway here: in the path, in the query and in
// the body.

import { sized } from "@helix-zed/harness/test-size.ts";
import { bindingsOf } from "@helix-zed/transcoding";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ourServices } from "../harness/our-services.ts";
import { arbitraryRestRequest, type RestRequest } from "./garbage/arbitrary-rest-request.ts";
import { callRest } from "./garbage/call-rest.ts";
import { GarbageStage } from "./garbage/garbage-stage.ts";
import { PATIENCE_MS, pelt } from "./garbage/pelt.ts";

/** For each path. */
const REQUESTS = sized({ normal: 500, full: 5_000 });

const services = (await ourServices()).map((service) => ({ ...service, bindings: bindingsOf(service) }));

describe("garbage over REST", () => {
  let stage: GarbageStage;

  beforeAll(async () => {
    stage = await GarbageStage.open();
  }, 90_000);
  afterAll(() => stage.close());

  test.each(services.filter(({ bindings }) => bindings.length > 0))(
    "sent to every path of $typeName is answered well",
    async ({ bindings }) => {
      const known = await stage.somethingToAskAbout();
      const targets = bindings.map((binding) => ({
        name: binding.method.name,
        garbage: arbitraryRestRequest(binding, known),
        send: (request: RestRequest) => callRest(stage.gateway, stage.tokens[0], request),
      }));
      await pelt(targets, { requests: REQUESTS, known });
    },
    PATIENCE_MS,
  );

  test("leaves the services up, the same processes as before", async () => {
    expect(await stage.damage()).toEqual([]);
  });
});
