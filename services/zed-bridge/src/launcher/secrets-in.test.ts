import { describe, expect, test } from "vitest";
import { secretsIn } from "./secrets-in.ts";

describe("the environment of an instance", () => {
  test("is known for its secrets", () => {
    expect(secretsIn({ PATH: "/bin", OPENAI_API_KEY: "sk-1", OPENAI_MODEL: "m", GEMINI_API_KEY: "" })).toEqual([
      "sk-1",
    ]);
  });
});
