import { describe, expect, test } from "vitest";
import { readStartSettings } from "./start-settings.ts";

describe("the settings of npm start", () => {
  test("need nothing: loopback, the usual ports, data below the checkout, and agents nowhere else", () => {
    expect(readStartSettings({}, [], "/checkout")).toMatchObject({
      host: "127.0.0.1",
      gatewayPort: 8080,
      taskPort: 8081,
      bridgePort: 8082,
      dataFolder: "/checkout/.data",
      workspaceRoots: ["/checkout/.data/workspaces"],
    });
  });

  test("let agents work in further folders, which are read from where the command was typed", () => {
    const environment = { ZED_WORKSPACE_ROOTS: "/srv/code:/srv/more", INIT_CWD: "/home/me" };
    expect(readStartSettings(environment, ["projects"], "/checkout").workspaceRoots).toEqual([
      "/checkout/.data/workspaces",
      "/srv/code",
      "/srv/more",
      "/home/me/projects",
    ]);
  });

  test("are refused with every problem in one line", () => {
    const environment = { HELIX_ZED_GATEWAY_PORT: "http", DATABASE_URL: "mysql://x", HELIX_ZED_GATWAY_PORT: "1" };
    expect(() => readStartSettings(environment, [], "/checkout")).toThrow(
      /^(?=.*HELIX_ZED_GATWAY_PORT)(?=.*DATABASE_URL must be)(?=.*HELIX_ZED_GATEWAY_PORT must be)[^\n]*$/,
    );
  });
});
