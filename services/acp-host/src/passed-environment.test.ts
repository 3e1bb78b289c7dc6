import { describe, expect, test } from "vitest";
import { passedEnvironment } from "./passed-environment.ts";

const surroundings = {
  PATH: "/bin",
  DATABASE_URL: "postgres://x",
  IS_SANDBOX: "yes",
  OPENAI_API_KEY: "sk-1",
  OPENAI_MODEL: "m",
  GOOSE_MODE: "auto",
  HELIX_ZED_SERVICE_TOKEN_FILE: "/token",
};

describe("the environment that is passed on", () => {
  test("holds what agents need and nothing else", () => {
    expect(passedEnvironment(surroundings, ["OPENAI_*", "GOOSE_MODE"])).toEqual({
      PATH: "/bin",
      OPENAI_API_KEY: "sk-1",
      OPENAI_MODEL: "m",
      GOOSE_MODE: "auto",
    });
  });
});
