import { describe, expect, test } from "vitest";
import { passedEnvironment, secretsIn } from "./passed-environment.ts";

const bridge = {
  PATH: "/bin",
  DATABASE_URL: "postgres://x",
  IS_SANDBOX: "yes",
  OPENAI_API_KEY: "sk-1",
  OPENAI_MODEL: "m",
  GOOSE_MODE: "auto",
  HELIX_ZED_SERVICE_TOKEN_FILE: "/token",
};

describe("the environment of an instance", () => {
  test("holds what its agents need and nothing of the bridge's own", () => {
    expect(passedEnvironment(bridge, ["OPENAI_*", "GOOSE_MODE"])).toEqual({
      PATH: "/bin",
      OPENAI_API_KEY: "sk-1",
      OPENAI_MODEL: "m",
      GOOSE_MODE: "auto",
    });
  });

  test("is known for its secrets", () => {
    expect(secretsIn(passedEnvironment(bridge, ["OPENAI_*"]))).toEqual(["sk-1"]);
  });
});
