import { readEnvironment } from "@helix-zed/server";
import { describe, expect, test } from "vitest";
import { settings } from "./config.ts";

const { tokens: _, ...withoutTokens } = settings;
const database = { DATABASE_URL: "postgresql://127.0.0.1/tasks" };

describe("the settings", () => {
  test("have defaults for all but the database and the tokens", () => {
    expect(readEnvironment(database, withoutTokens)).toEqual({
      host: "127.0.0.1",
      port: 8081,
      logLevel: "info",
      databaseUrl: "postgresql://127.0.0.1/tasks",
      agentTypes: [
        "simple",
        "helix_agent",
        "zed_agent",
        "zed_claude_code",
        "zed_gemini_cli",
        "zed_qwen_code",
        "zed_codex_cli",
        "zed_opencode",
      ],
      jwksUrl: null,
      jwtAudience: null,
      jwtClockSkewMs: 30_000,
      jwtIssuer: null,
      jwtOrganizationClaim: "organization_id",
      leaseMs: 30_000,
      logRetentionChanges: 100_000,
      logRetentionMs: 24 * 60 * 60 * 1_000,
      requestRetentionMs: 24 * 60 * 60 * 1_000,
      watchesPerActorMax: 20,
    });
    expect(() => readEnvironment({}, settings)).toThrow(/HELIX_ZED_TOKENS_FILE must be set; DATABASE_URL must be set/);
  });

  test("take other kinds of agents and another length of a lease", () => {
    const environment = { ...database, HELIX_ZED_AGENT_TYPES: "zed_agent, my_agent", HELIX_ZED_LEASE_MS: "1500" };
    expect(readEnvironment(environment, withoutTokens)).toMatchObject({
      agentTypes: ["zed_agent", "my_agent"],
      leaseMs: 1_500,
    });
  });

  test.each([
    [{ HELIX_ZED_AGENT_TYPES: "Zed Agent" }, "HELIX_ZED_AGENT_TYPES"],
    [{ HELIX_ZED_LEASE_MS: "1" }, "HELIX_ZED_LEASE_MS"],
    [{ DATABASE_URL: "mysql://localhost/tasks" }, "DATABASE_URL"],
    [{ HELIX_ZED_LEASE: "1" }, "HELIX_ZED_LEASE"],
  ])("are refused by name when they are wrong: %o", (wrong, name) => {
    expect(() => readEnvironment({ ...database, ...wrong }, withoutTokens)).toThrow(name);
  });
});
