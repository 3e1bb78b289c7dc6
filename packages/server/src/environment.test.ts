import { describe, expect, expectTypeOf, test } from "vitest";
import {
  type Environment,
  EnvironmentError,
  needing,
  optional,
  readEnvironment,
  required,
  withDefault,
} from "./environment.ts";
import { integer, port, text, url } from "./parsers.ts";

const settings = {
  host: withDefault("HELIX_ZED_HOST", text(), "127.0.0.1"),
  port: withDefault("HELIX_ZED_PORT", port(), 8081),
  leaseMs: withDefault("HELIX_ZED_LEASE_MS", integer({ min: 1_000, max: 600_000, unit: "milliseconds" }), 30_000),
  databaseUrl: required("DATABASE_URL", url("postgres", "postgresql")),
  agentsFile: optional("HELIX_ZED_AGENTS_FILE", text()),
};

const databaseUrl = "postgres://localhost/tasks";

function problemsOf(environment: Environment): readonly string[] {
  try {
    readEnvironment(environment, settings);
    return [];
  } catch (error) {
    if (error instanceof EnvironmentError) return error.problems;
    throw error;
  }
}

describe("an environment", () => {
  test("gives every setting with its type", () => {
    const config = readEnvironment({ DATABASE_URL: databaseUrl, HELIX_ZED_PORT: "0" }, settings);
    expect(config).toEqual({ host: "127.0.0.1", port: 0, leaseMs: 30_000, databaseUrl, agentsFile: null });
    expectTypeOf(config.port).toEqualTypeOf<number>();
    expectTypeOf(config.agentsFile).toEqualTypeOf<string | null>();
  });

  test("counts an empty variable as absent", () => {
    expect(readEnvironment({ DATABASE_URL: databaseUrl, HELIX_ZED_PORT: "" }, settings).port).toBe(8081);
    expect(problemsOf({ DATABASE_URL: "" })).toEqual(["DATABASE_URL must be set"]);
  });

  test("has all its problems reported at once", () => {
    const environment = {
      HELIX_ZED_PORT: "eighty",
      HELIX_ZED_LEASE_MS: "5",
      HELIX_ZED_HOTS: "0.0.0.0",
      HELIX_ZED_FAVOURITE_COLOUR: "red",
      UNRELATED: "x",
    };
    expect(problemsOf(environment)).toEqual([
      "HELIX_ZED_FAVOURITE_COLOUR is not a setting of this service",
      "HELIX_ZED_HOTS is not a setting of this service: did you mean HELIX_ZED_HOST?",
      'HELIX_ZED_PORT must be a whole number from 0 to 65535, not "eighty"',
      'HELIX_ZED_LEASE_MS must be a whole number of milliseconds from 1000 to 600000, not "5"',
      "DATABASE_URL must be set",
    ]);
  });
});

describe("settings that go together", () => {
  const together = {
    issuer: needing(optional("HELIX_ZED_ISSUER", text()), "HELIX_ZED_KEYS"),
    keys: needing(optional("HELIX_ZED_KEYS", url("https")), "HELIX_ZED_ISSUER"),
    skewMs: needing(
      withDefault("HELIX_ZED_SKEW_MS", integer({ min: 0, max: 9 }), 3),
      "HELIX_ZED_ISSUER",
      "HELIX_ZED_KEYS",
    ),
  };

  test("may all be left out, or all be given", () => {
    expect(readEnvironment({}, together)).toEqual({ issuer: null, keys: null, skewMs: 3 });
    const all = { HELIX_ZED_ISSUER: "i", HELIX_ZED_KEYS: "https://keys" };
    expect(readEnvironment(all, together)).toEqual({ issuer: "i", keys: "https://keys", skewMs: 3 });
  });

  test("are missed by name, together with everything else that is wrong", () => {
    expect(() => readEnvironment({ HELIX_ZED_SKEW_MS: "10" }, together)).toThrow(
      'HELIX_ZED_SKEW_MS must be a whole number from 0 to 9, not "10"; HELIX_ZED_ISSUER must be set where ' +
        "HELIX_ZED_SKEW_MS is; HELIX_ZED_KEYS must be set where HELIX_ZED_SKEW_MS is",
    );
  });
});
