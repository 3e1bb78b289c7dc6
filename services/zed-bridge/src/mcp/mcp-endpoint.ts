// MCP for agents
//
//   POST /mcp ─▶ from a web page elsewhere? ─▶ whose token? ─▶ too much? ─▶ read, parse ─▶ the SDK ─▶ tools
//                403                           401             429          400 408 413
//
// Nothing is kept between two requests: each carries its token, and is answered by a server made for it. So any bridge on
// the database answers, also one that was started a moment ago. That is the stateless form of streamable HTTP, in the
// revisions with `initialize` and in those without; there are no sessions to resume (GET and DELETE: 405).
//
// What an agent sends has agents' tokens masked before anybody looks at it, so that no tool can carry one anywhere.
//
// A request lasts as long as its tool. It ends early when the caller hangs up, when it cancels the call (by a request of
// its own, which has to reach the same process), and when the bridge is to stop: then tools that wait answer with what
// they have.
import {
  type Fallback,
  type Log,
  type NodeRequest,
  type NodeResponse,
  notFoundFallback,
  pathOf,
} from "@helix-zed/server";
import { maskSessionTokens } from "@helix-zed/sync-protocol";
import {
  type AuthInfo,
  createMcpHandler,
  localhostAllowedOrigins,
  type McpHttpHandler,
  validateOriginHeader,
} from "@modelcontextprotocol/server";
import { type Agent, findAgent } from "../application/find-agent.ts";
import { createAgentServer } from "./agent-server.ts";
import { type BodyLimits, type BodyRead, readBody } from "./read-body.ts";
import { refuse } from "./refuse.ts";
import { type CallLimits, RunningCalls } from "./running-calls.ts";
import type { ToolSurroundings } from "./tool.ts";
import { sendWebResponse, toWebRequest } from "./web-exchange.ts";

/** Where agents find us on our port. */
export const mcpPath = "/mcp";

/** How much agents may ask. */
export interface McpLimits {
  /** For each token. */
  readonly calls: CallLimits;
  readonly body: BodyLimits;
  /** How long a request may last, in milliseconds. */
  readonly requestTimeoutMs: number;
}

/** Thirty-two requests at once, half of them calls; twenty a second after the first hundred; half a megabyte each. */
export const usualMcpLimits: McpLimits = {
  calls: { rate: { perSecond: 20, burst: 100 }, requestsMax: 32, callsMax: 16 },
  body: { bytesMax: 512 * 1024, timeoutMs: 10_000 },
  requestTimeoutMs: 600_000,
};

/** What an endpoint works with. */
export interface McpEndpointOptions extends Omit<ToolSurroundings, "stopping"> {
  readonly log: Log;
  readonly limits?: McpLimits;
}

const STOP_GRACE_MS = 2_000;

/** Answers agents. */
export class McpEndpoint {
  readonly #options: McpEndpointOptions;
  readonly #limits: McpLimits;
  readonly #calls: RunningCalls;
  /** By what the SDK carries to the server that is made for the request. */
  readonly #callers = new WeakMap<AuthInfo, Agent>();
  readonly #stopping = new AbortController();
  readonly #handler: McpHttpHandler;
  readonly #open = new Set<Promise<void>>();

  constructor(options: McpEndpointOptions) {
    const { log, limits = usualMcpLimits } = options;
    this.#options = options;
    this.#limits = limits;
    this.#calls = new RunningCalls(limits.calls);
    const surroundings = { ...options, stopping: this.#stopping.signal };
    this.#handler = createMcpHandler(({ authInfo }) => createAgentServer(this.#callerOf(authInfo), surroundings), {
      onerror: (error) => log.debug({ err: error }, "a request of an agent is not in order"),
    });
  }

  /** Answers requests to {@link mcpPath}; all others get a 404. */
  readonly handle: Fallback = async (request, response) => {
    if (pathOf(request) !== mcpPath) return notFoundFallback(request, response);
    const answered = this.#answer(request, response);
    this.#open.add(answered);
    await answered.finally(() => this.#open.delete(answered));
  };

  /** Lets whoever waits come to an end, and ends the rest a moment later. */
  async close(): Promise<void> {
    this.#stopping.abort();
    const { world } = this.#options.app;
    const time = new AbortController();
    await Promise.race([Promise.allSettled(this.#open), world.sleep(STOP_GRACE_MS, time.signal)]);
    time.abort();
    this.#calls.abortAll();
    await this.#handler.close();
  }

  async #answer(request: NodeRequest, response: NodeResponse): Promise<void> {
    if (request.method !== "POST") return refuse(response, "method");
    if (!validateOriginHeader(request.headers["origin"]?.toString(), localhostAllowedOrigins()).ok) {
      return refuse(response, "origin");
    }
    if (this.#stopping.signal.aborted) return refuse(response, "stopping");
    const token = bearerOf(request);
    const agent = token === null ? null : await findAgent(this.#options.app, token);
    if (agent === null) return refuse(response, token === null ? "no-token" : "bad-token");
    const retryAfterMs = this.#calls.enter(agent.holder, this.#nowMs());
    if (retryAfterMs > 0) return refuse(response, "too-many", retryAfterMs);
    try {
      await this.#answerAgent(agent, request, response);
    } finally {
      this.#calls.leave(agent.holder);
    }
  }

  async #answerAgent(agent: Agent, request: NodeRequest, response: NodeResponse): Promise<void> {
    const body = await readBody(request, this.#limits.body);
    if (body.kind !== "text") {
      // What is left of it is not read: the connection is of no use any more.
      if (request.httpVersionMajor === 1) response.setHeader("connection", "close");
      return refuse(response, body.kind);
    }
    const message = parse(body);
    if (message === undefined) return refuse(response, "no-json");
    this.#calls.cancel(agent.holder, message);
    const call = this.#calls.begin(agent.holder, message, this.#nowMs());
    if (call === null) return refuse(response, "too-many", 1_000);
    const hangUp = (): void => call.abort();
    const signal = AbortSignal.any([call.signal, AbortSignal.timeout(this.#limits.requestTimeoutMs)]);
    response.once("close", hangUp);
    try {
      const authInfo: AuthInfo = { token: "", clientId: agent.holder, scopes: [] };
      this.#callers.set(authInfo, agent);
      const answer = await this.#handler.fetch(toWebRequest(request, signal), { authInfo, parsedBody: message });
      await sendWebResponse(answer, response);
    } finally {
      response.off("close", hangUp);
      call.end();
    }
  }

  #callerOf(authInfo: AuthInfo | undefined): Agent {
    const agent = authInfo && this.#callers.get(authInfo);
    if (agent === undefined) throw new Error("The SDK has not passed on who calls.");
    return agent;
  }

  #nowMs(): number {
    return this.#options.app.world.now().getTime();
  }
}

function bearerOf({ headers }: NodeRequest): string | null {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1] ?? null;
}

function parse({ text }: Extract<BodyRead, { kind: "text" }>): unknown {
  try {
    return JSON.parse(maskSessionTokens(text));
  } catch {
    return undefined;
  }
}
