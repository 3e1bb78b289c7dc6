import { describe, expect, test } from "vitest";
import type { Conversation } from "./conversation.ts";
import { nextCall, takeCalls } from "./scripted-calls.ts";

const spawn = '[demo: call spawn {"name": "a", "instructions": "Write } [demo: call report {\\"x\\": {}}] it"}]';

function conversation(parts: Partial<Conversation>): Conversation {
  return {
    wire: "openai-chat",
    model: "m",
    streaming: false,
    prompt: "",
    prompts: [],
    toolResults: [],
    calls: [],
    tools: [],
    schema: undefined,
    instructions: "",
    workingDirectory: undefined,
    inputTokens: 0,
    ...parts,
  };
}

const tool = (name: string) => ({ name, parameters: {} });

describe("calls in a prompt", () => {
  test("are taken out with their arguments, in which others may stand", () => {
    expect(takeCalls(`Do ${spawn} then [demo: call wait {}] so`)).toEqual({
      calls: [
        { tool: "spawn", arguments: { name: "a", instructions: 'Write } [demo: call report {"x": {}}] it' } },
        { tool: "wait", arguments: {} },
      ],
      rest: "Do  then  so",
    });
  });

  test("are left where they are if they are not whole", () => {
    for (const prompt of ["[demo: call spawn {]", '[demo: call spawn {"a": 1}', "[demo: call spawn]"]) {
      expect(takeCalls(prompt)).toEqual({ calls: [], rest: prompt });
    }
  });
});

describe("the next call", () => {
  const calls = takeCalls('[demo: call spawn {"a": 1}][demo: call get {"id": "$session"}]').calls;
  const tools = [tool("mcp__helix__spawn"), tool("mcp__helix__get")];

  test("is made by the name that the agent gives the tool, each once and in order", () => {
    expect(nextCall(conversation({ tools }), calls)).toMatchObject({ name: "mcp__helix__spawn", arguments: { a: 1 } });
    const text = `{"id": "ws_${"0".repeat(32)}"}`;
    const later = conversation({ tools, calls: ["mcp__helix__spawn"], toolResults: [{ text, failed: false }] });
    expect(nextCall(later, calls)).toMatchObject({
      name: "mcp__helix__get",
      arguments: { id: `ws_${"0".repeat(32)}` },
    });
    expect(nextCall(conversation({ tools, calls: ["spawn", "get"] }), calls)).toBeUndefined();
  });

  test("names the group that the tool is offered in", () => {
    const grouped = conversation({ tools: [{ ...tool("spawn"), namespace: "mcp__helix" }] });
    expect(nextCall(grouped, calls)).toMatchObject({ name: "spawn", namespace: "mcp__helix", arguments: { a: 1 } });
  });

  test("looks for a tool that is hidden, once", () => {
    const hidden = conversation({ tools: [tool("tool_search")], instructions: "- mcp__helix__spawn: starts" });
    expect(nextCall(hidden, calls)).toMatchObject({
      name: "tool_search",
      arguments: { query: "select:mcp__helix__spawn" },
    });
    expect(nextCall({ ...hidden, calls: ["tool_search"] }, calls)).toEqual({
      type: "text",
      text: "There is no tool spawn.",
    });
    expect(nextCall({ ...hidden, tools, calls: ["tool_search"] }, calls)).toMatchObject({ name: "mcp__helix__spawn" });
  });
});
