import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { answerModelRequest } from "./answer-model-request.ts";
import { readConversation, type Conversation } from "./conversation.ts";
import { defaultScript } from "./default-script.ts";
import { Holds } from "./holds.ts";
import { objectOf, type JsonObject } from "./json.ts";
import type { Script } from "./reply.ts";
import { route, type Route } from "./routes.ts";

// A model server for demonstrations and tests. It is not a language model: a
// script decides every answer (see default-script.ts and directives.ts).
//
// It speaks OpenAI chat completions and responses, Anthropic messages and Gemini,
// streaming and not, on one port, so that any agent can be pointed at it.

export interface DemoModelOptions {
  /** 0, the default, takes a free port. */
  readonly port?: number;
  readonly host?: string;
  readonly script?: Script;
}

/** A running demo model. */
export interface DemoModel {
  /** Without a path: OpenAI clients want `${url}/v1`, the others the bare address. */
  readonly url: string;
  readonly port: number;
  /** What was asked so far, oldest first; at most the last 1000. */
  requests(): readonly Conversation[];
  /** Resolves when an answer waits at `[demo: hold NAME]`. */
  reached(name: string): Promise<void>;
  /** Lets the answers that wait under this name, now or later, go on. */
  release(name: string): void;
  close(): Promise<void>;
}

const requestsKept = 1000;
const bodyBytesMax = 64 * 1024 * 1024;

/** Starts a demo model; it serves when the promise resolves. */
export async function startDemoModel(options: DemoModelOptions = {}): Promise<DemoModel> {
  const context: Context = { script: options.script ?? defaultScript, holds: new Holds(), requests: [] };
  const server = createServer((request, response) => {
    serve(context, request, response).catch((error: unknown) => fail(response, error));
  });
  const host = options.host ?? "127.0.0.1";
  server.listen(options.port ?? 0, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the demo model listens on no TCP port");
  const { port } = address;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    requests: () => [...context.requests],
    reached: (name) => context.holds.reached(name),
    release: (name) => context.holds.release(name),
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Context {
  readonly script: Script;
  readonly holds: Holds;
  readonly requests: Conversation[];
}

async function serve(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? "/", "http://demo").pathname;
  const target = route(request.method ?? "GET", path);
  if (target.to === "model") return serveModel(context, target, { request, response, path });
  if (target.to === "reached") await context.holds.reached(target.hold);
  if (target.to === "release") context.holds.release(target.hold);
  const body = target.to === "count" ? await readBody(request) : {};
  answerJson(response, target.to === "nowhere" ? 404 : 200, plainAnswer(target, body, path));
}

async function serveModel(
  { script, holds, requests }: Context,
  { wire }: Route & { readonly to: "model" },
  exchange: { readonly request: IncomingMessage; readonly response: ServerResponse; readonly path: string },
): Promise<void> {
  const { request, response, path } = exchange;
  const conversation = readConversation(wire.read(await readBody(request), path));
  requests.push(conversation);
  requests.splice(0, requests.length - requestsKept);
  const hangUp = new AbortController();
  response.on("close", () => hangUp.abort());
  const stage = { signal: hangUp.signal, hold: (name: string) => holds.hold(name, hangUp.signal) };
  await answerModelRequest({ wire, conversation, script, stage, response });
}

function plainAnswer(target: Route, body: JsonObject, path: string): JsonObject {
  if (target.to === "count") {
    const { inputTokens } = readConversation(target.wire.read(body, path));
    return { input_tokens: inputTokens, totalTokens: inputTokens };
  }
  if (target.to === "models") {
    const model = { id: "demo-model", name: "models/demo-model", object: "model", type: "model", created: 0 };
    return { object: "list", data: [model], models: [model], has_more: false };
  }
  if (target.to === "nowhere") return { error: { message: `The demo model has nothing at ${path}.` } };
  return { name: "demo-model", description: "A scripted model server. Not a language model." };
}

function answerJson(response: ServerResponse, status: number, body: JsonObject): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<JsonObject> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > bodyBytesMax) throw new Error("the request is larger than 64 MiB");
    pieces.push(piece);
  }
  return objectOf(JSON.parse(Buffer.concat(pieces).toString("utf8")));
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) response.destroy();
  else answerJson(response, 400, { error: { message: error instanceof Error ? error.message : "bad request" } });
}
