import { describe, expect, test } from "vitest";
import { requestFor } from "./session-choices.ts";

const modes = { currentModeId: "default", availableModes: [{ id: "default" }, { id: "plan" }] };
const models = { availableModels: [{ modelId: "large" }, { modelId: "small" }] };
const modelOption = {
  id: "the-model",
  category: "model",
  type: "select",
  options: [
    { value: "large", name: "Large" },
    { group: "more", options: [{ value: "small", name: "Small" }] },
  ],
};

describe("a mode or a model", () => {
  test.each([
    ["mode", "plan", { modes }, { method: "session/set_mode", params: { modeId: "plan" } }],
    [
      "model",
      "small",
      { models, configOptions: [null, { id: "thinking", type: "boolean" }, modelOption] },
      { method: "session/set_config_option", params: { configId: "the-model", value: "small" } },
    ],
    ["model", "small", { models }, { method: "session/set_model", params: { modelId: "small" } }],
    ["mode", "anything", {}, { method: "session/set_mode", params: { modeId: "anything" } }],
    ["model", "anything", null, { method: "session/set_model", params: { modelId: "anything" } }],
  ] as const)("is set in the way that the agent offers: %s %s of %j", (choice, name, session, request) => {
    expect(requestFor(choice, name, session)).toEqual(request);
  });

  test.each([
    ["mode", { modes }, "it has no such mode, only default, plan"],
    ["model", { models }, "it has no such model, only large, small"],
    ["model", { models, configOptions: [modelOption] }, "it has no such model, only large, small"],
  ] as const)("that the agent does not offer is refused, with what it does: %s of %j", (choice, session, words) => {
    expect(() => requestFor(choice, "party", session)).toThrow(words);
  });
});
