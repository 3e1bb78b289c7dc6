import { EnvironmentError, readEnvironment } from "@helix-zed/server";
import { describe, expect, test } from "vitest";
import { gatewaySettings } from "./config.ts";

const needed = { HELIX_ZED_TASK_URL: "http://127.0.0.1:8081", HELIX_ZED_BRIDGE_URL: "http://127.0.0.1:8082" };

describe("the gateway's settings", () => {
  test("need nothing but the addresses of both services", () => {
    expect(readEnvironment(needed, gatewaySettings)).toEqual({
      host: "127.0.0.1",
      port: 8080,
      logLevel: "info",
      taskUrl: needed.HELIX_ZED_TASK_URL,
      bridgeUrl: needed.HELIX_ZED_BRIDGE_URL,
      corsOrigins: null,
    });
  });

  test("take a list of origins", () => {
    const environment = { ...needed, HELIX_ZED_CORS_ORIGINS: "https://a.example, http://localhost:3000" };
    expect(readEnvironment(environment, gatewaySettings).corsOrigins).toEqual([
      "https://a.example",
      "http://localhost:3000",
    ]);
  });

  test.each(["*", "https://a.example/", "a.example", "https://a.example/app"])("refuse %j as an origin", (origins) => {
    const environment = { ...needed, HELIX_ZED_CORS_ORIGINS: origins };
    expect(() => readEnvironment(environment, gatewaySettings)).toThrow(EnvironmentError);
  });
});
