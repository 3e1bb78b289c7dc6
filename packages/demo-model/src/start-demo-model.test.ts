import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ModelError, startDemoModel, text, type DemoModel } from "./index.ts";
import { listOf, objectOf, textOf, type JsonObject } from "./json.ts";

let model: DemoModel;
beforeAll(async () => {
  model = await startDemoModel();
});
afterAll(() => model.close());

const parameters = { type: "object", properties: { file_path: { type: "string" }, content: { type: "string" } } };
const folder = "I'm currently working in the directory: /work/place\nHere is more";

interface Dialect {
  readonly name: string;
  path(streaming: boolean): string;
  ask(prompt: string, streaming: boolean): JsonObject;
  /** The request that carries the tool's answer. */
  answer(prompt: string): JsonObject;
  /** The text and the names of called tools in a whole answer. */
  read(body: JsonObject): { text: string; tools: string[]; tokens: number };
  /** The same for one frame of a stream. */
  delta(frame: JsonObject): string;
}

const chat: Dialect = {
  name: "OpenAI chat completions",
  path: () => "/v1/chat/completions",
  ask: (prompt, stream) => ({
    model: "m",
    stream,
    tools: [{ type: "function", function: { name: "write_file", parameters } }],
    messages: [
      { role: "system", content: "You help." },
      { role: "user", content: folder },
      { role: "assistant", content: "Understood." },
      { role: "user", content: [{ type: "text", text: "<system-reminder>noise</system-reminder>" }, { text: prompt }] },
    ],
  }),
  answer: (prompt) => ({
    model: "m",
    tools: [{ type: "function", function: { name: "write_file", parameters } }],
    messages: [
      { role: "user", content: prompt },
      { role: "assistant", content: "", tool_calls: [] },
      { role: "tool", content: "written" },
    ],
  }),
  read: (body) => {
    const message = objectOf(objectOf(listOf(body["choices"])[0])["message"]);
    const tools = listOf(message["tool_calls"]).map((call) => textOf(objectOf(objectOf(call)["function"])["name"]));
    return { text: textOf(message["content"]), tools, tokens: Number(objectOf(body["usage"])["total_tokens"]) };
  },
  delta: (frame) => textOf(objectOf(objectOf(listOf(frame["choices"])[0])["delta"])["content"]),
};

const responses: Dialect = {
  name: "OpenAI responses",
  path: () => "/v1/responses",
  ask: (prompt, stream) => ({
    model: "m",
    stream,
    instructions: folder,
    tools: [{ type: "function", name: "write_file", parameters }],
    input: [{ type: "message", role: "user", content: [{ type: "input_text", text: prompt }] }],
  }),
  answer: (prompt) => ({
    model: "m",
    tools: [{ type: "function", name: "write_file", parameters }],
    input: [
      { type: "message", role: "user", content: prompt },
      { type: "function_call", name: "write_file", arguments: "{}" },
      { type: "function_call_output", output: "written" },
    ],
  }),
  read: (body) => {
    const items = listOf(body["output"]).map(objectOf);
    const said = items.flatMap((item) => listOf(item["content"])).map((part) => textOf(objectOf(part)["text"]));
    const tools = items.flatMap((item) => (item["type"] === "function_call" ? [textOf(item["name"])] : []));
    return { text: said.join(""), tools, tokens: Number(objectOf(body["usage"])["total_tokens"]) };
  },
  delta: (frame) => (frame["type"] === "response.output_text.delta" ? textOf(frame["delta"]) : ""),
};

const anthropic: Dialect = {
  name: "Anthropic messages",
  path: () => "/v1/messages",
  ask: (prompt, stream) => ({
    model: "m",
    stream,
    system: [{ type: "text", text: folder }],
    tools: [{ name: "Write", input_schema: parameters }],
    messages: [{ role: "user", content: [{ type: "text", text: prompt }] }],
  }),
  answer: (prompt) => ({
    model: "m",
    tools: [{ name: "Write", input_schema: parameters }],
    messages: [
      { role: "user", content: prompt },
      { role: "assistant", content: [{ type: "tool_use", name: "Write", input: {} }] },
      {
        role: "user",
        content: [
          { type: "tool_result", content: "written" },
          { type: "text", text: "a note" },
        ],
      },
    ],
  }),
  read: (body) => {
    const blocks = listOf(body["content"]).map(objectOf);
    const tools = blocks.flatMap((block) => (block["type"] === "tool_use" ? [textOf(block["name"])] : []));
    const usage = objectOf(body["usage"]);
    const tokens = Number(usage["input_tokens"]) + Number(usage["output_tokens"]);
    return { text: blocks.map((block) => textOf(block["text"])).join(""), tools, tokens };
  },
  delta: (frame) => textOf(objectOf(frame["delta"])["text"]),
};

const gemini: Dialect = {
  name: "Gemini",
  path: (streaming) => `/v1beta/models/m:${streaming ? "streamGenerateContent?alt=sse" : "generateContent"}`,
  ask: (prompt) => ({
    systemInstruction: { parts: [{ text: folder }] },
    tools: [{ functionDeclarations: [{ name: "write_file", parametersJsonSchema: parameters }] }],
    contents: [{ role: "user", parts: [{ text: prompt }] }],
  }),
  answer: (prompt) => ({
    tools: [{ functionDeclarations: [{ name: "write_file", parametersJsonSchema: parameters }] }],
    contents: [
      { role: "user", parts: [{ text: prompt }] },
      { role: "model", parts: [{ functionCall: { name: "write_file", args: {} } }] },
      { role: "user", parts: [{ functionResponse: { name: "write_file", response: { output: "written" } } }] },
    ],
  }),
  read: (body) => {
    const parts = geminiParts(body);
    const tools = parts.flatMap((part) =>
      "functionCall" in part ? [textOf(objectOf(part["functionCall"])["name"])] : [],
    );
    const tokens = Number(objectOf(body["usageMetadata"])["totalTokenCount"]);
    return { text: parts.map((part) => textOf(part["text"])).join(""), tools, tokens };
  },
  delta: (frame) => textOf(geminiParts(frame)[0]?.["text"]),
};

function geminiParts(body: JsonObject): JsonObject[] {
  return listOf(objectOf(objectOf(listOf(body["candidates"])[0])["content"])["parts"]).map(objectOf);
}

async function post(path: string, body: JsonObject, url = model.url): Promise<Response> {
  return fetch(`${url}${path}`, { method: "POST", body: JSON.stringify(body) });
}

function framesOf(stream: string): JsonObject[] {
  const data = stream.split("\n").filter((line) => line.startsWith("data: {"));
  return data.map((line) => objectOf(JSON.parse(line.slice(6))));
}

describe.each([chat, responses, anthropic, gemini])("the demo model over $name", (dialect) => {
  test("says a sentence and writes a file named after the prompt, where the agent works", async () => {
    const answer = await post(dialect.path(false), dialect.ask("Add user profile page", false));
    const raw = await answer.text();
    const read = dialect.read(objectOf(JSON.parse(raw)));
    expect(read.text).toBe("I will write user-profile-page.md.");
    expect(read.tools.map((name) => name.toLowerCase())).toEqual([expect.stringMatching(/^write/)]);
    expect(read.tokens).toBeGreaterThan(0);
    expect(raw).toContain("/work/place/user-profile-page.md");
  });

  test("closes the turn when the tool has answered", async () => {
    const answer = await post(dialect.path(false), dialect.answer("Add user profile page"));
    const read = dialect.read(objectOf(await answer.json()));
    expect(read).toMatchObject({ tools: [], text: expect.stringContaining("not a language model") });
  });

  test("streams the same answer", async () => {
    const answer = await post(dialect.path(true), dialect.ask("Add user profile page", true));
    const stream = await answer.text();
    expect(
      framesOf(stream)
        .map((frame) => dialect.delta(frame))
        .join(""),
    ).toBe("I will write user-profile-page.md.");
    expect(stream).toContain("/work/place/user-profile-page.md");
  });

  test("refuses with the status that the prompt asks for", async () => {
    const answer = await post(dialect.path(true), dialect.ask("Fail [demo: error 400]", true));
    expect(answer.status).toBe(400);
    expect(JSON.stringify(await answer.json())).toContain("asked to fail with status 400");
  });

  test("answers with text alone when told to use no tool", async () => {
    const answer = await post(dialect.path(false), dialect.ask("Say grüß dich 🦊 [demo: no-tool]", false));
    const read = dialect.read(objectOf(await answer.json()));
    expect(read).toMatchObject({ tools: [], text: "The demo model read: Say grüß dich 🦊" });
  });
});

describe("the demo model", () => {
  test("holds an answer open until it is released, and says when it is there", async () => {
    const answer = post("/v1/chat/completions", chat.ask("Wait [demo: hold gate]", true));
    await model.reached("gate");
    const waiting = await fetch(`${model.url}/demo/holds/gate`);
    expect(waiting.status).toBe(200);
    await post("/demo/holds/gate/release", {});
    expect(await (await answer).text()).toContain("tool_calls");
  });

  test("forgets an answer when the agent hangs up", async () => {
    const hangUp = new AbortController();
    const request = fetch(`${model.url}/v1/chat/completions`, {
      method: "POST",
      signal: hangUp.signal,
      body: JSON.stringify(chat.ask("[demo: hang]", true)),
    });
    await model.reached("[demo: hang]");
    hangUp.abort();
    await expect(request).rejects.toThrow("aborted");
  });

  test("gives the user the word when asked who speaks next", async () => {
    const schema = { type: "object", properties: { next_speaker: { type: "string", enum: ["user", "model"] } } };
    const generationConfig = { responseMimeType: "application/json", responseJsonSchema: schema };
    const body = { ...gemini.ask("Anything", false), generationConfig };
    const answer = await post(gemini.path(false), body);
    expect(JSON.parse(gemini.read(objectOf(await answer.json())).text)).toEqual({ next_speaker: "user" });
  });

  test("counts tokens and lists its one model", async () => {
    const counted = await post("/v1/messages/count_tokens", anthropic.ask("Count me", false));
    expect(await counted.json()).toMatchObject({ input_tokens: expect.any(Number) });
    const models = await fetch(`${model.url}/v1/models`);
    expect(await models.json()).toMatchObject({ data: [{ id: "demo-model" }] });
    expect((await fetch(`${model.url}/nothing`)).status).toBe(404);
  });

  test("follows a script, which may wait and may refuse", async () => {
    const gate = Promise.withResolvers<void>();
    const scripted = await startDemoModel({
      async *script({ prompt }) {
        if (prompt === "no") throw new ModelError(403, "not for you");
        yield text("one ");
        await gate.promise;
        yield text("two");
      },
    });
    const refused = await post("/v1/messages", anthropic.ask("no", true), scripted.url);
    expect(refused.status).toBe(403);
    const answer = await post("/v1/messages", anthropic.ask("yes", true), scripted.url);
    gate.resolve();
    expect(
      framesOf(await answer.text())
        .map((frame) => anthropic.delta(frame))
        .join(""),
    ).toBe("one two");
    expect(scripted.requests().map((request) => request.prompt)).toEqual(["no", "yes"]);
    await scripted.close();
  });
});
