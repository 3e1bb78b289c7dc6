import { Client, StreamableHTTPClientTransport, type VersionNegotiationMode } from "@modelcontextprotocol/client";
import { OnePort } from "@helix-zed/server";
import { McpEndpoint, type McpLimits, mcpPath } from "../mcp/mcp-endpoint.ts";
import { type BridgeApp, claimSession, type ClaimedSession, type ClaimOptions, openBridgeApp } from "./bridge-app.ts";
import { ScriptedEditor } from "./scripted-editor.ts";
import { silentLog } from "./serve-links.ts";
import { StubTaskService } from "./stub-task-service.ts";
import type { App } from "../application/app.ts";

/** An agent of a work session, and what it was given to call us with. */
export interface StagedAgent {
  readonly session: ClaimedSession;
  readonly editor: ScriptedEditor;
  readonly token: string;
  /** The request id of the turn that it has. */
  readonly request: string;
}

/** A bridge's MCP server on a port, and agents to call it. */
export class McpStage {
  readonly bridge: BridgeApp;
  readonly taskService: StubTaskService;
  readonly #port: OnePort;
  readonly #endpoint: McpEndpoint;
  readonly url: string;

  private constructor(bridge: BridgeApp, taskService: StubTaskService, served: ServedMcp) {
    this.bridge = bridge;
    this.taskService = taskService;
    this.#port = served.onePort;
    this.#endpoint = served.endpoint;
    this.url = served.url;
  }

  /** Opens everything. */
  static async open(limits?: McpLimits, parts: Partial<App> = {}): Promise<McpStage> {
    const taskService = new StubTaskService();
    await taskService.start();
    let url: string | null = null;
    const bridge = await openBridgeApp({ mcpUrl: () => url, ...parts });
    const served = await serve(bridge.app, taskService, limits);
    ({ url } = served);
    return new McpStage(bridge, taskService, served);
  }

  get app(): App {
    return this.bridge.app;
  }

  /** Begins a session whose agent has its first turn. */
  async agent(options: ClaimOptions = {}): Promise<StagedAgent> {
    const session = await claimSession(this.app, options);
    const editor = new ScriptedEditor(this.app, session.instanceId);
    await editor.start();
    const { request_id: request, mcp_servers: servers } = await editor.takeOne("chat_message");
    return { session, editor, token: tokenIn(servers), request };
  }

  /** A client that has introduced itself. */
  async connect(token: string, mode: VersionNegotiationMode = "legacy"): Promise<Client> {
    const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
    const headers = { authorization: `Bearer ${token}` };
    await client.connect(new StreamableHTTPClientTransport(new URL(this.url), { requestInit: { headers } }));
    return client;
  }

  /** Sends any body, as an agent does unless told otherwise. */
  post(token: string, body: unknown, more: Readonly<Record<string, string>> = {}): Promise<Response> {
    const headers = {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...more,
    };
    return fetch(this.url, { method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) });
  }

  /** The server is told to stop. */
  stop(): Promise<void> {
    return this.#endpoint.close();
  }

  async close(): Promise<void> {
    await this.#endpoint.close();
    await this.#port.close(500);
    await this.bridge.close();
    await this.taskService.stop();
  }
}

/** The token in what an agent was given; empty if it was given none. */
export function tokenIn(servers: readonly { headers: readonly { value: string }[] }[] | undefined): string {
  return servers?.[0]?.headers[0]?.value.replace(/^Bearer /, "") ?? "";
}

interface ServedMcp {
  readonly onePort: OnePort;
  readonly endpoint: McpEndpoint;
  readonly url: string;
}

async function serve(app: App, taskService: StubTaskService, limits: McpLimits | undefined): Promise<ServedMcp> {
  const { workSessions } = taskService.clients;
  const endpoint = new McpEndpoint({ app, workSessions, log: silentLog, ...(limits === undefined ? {} : { limits }) });
  const onePort = new OnePort({
    handler: (request, response) => {
      Promise.resolve(endpoint.handle(request, response)).catch(() => {
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
    },
  });
  const port = await onePort.listen({ host: "127.0.0.1", port: 0 });
  return { onePort, endpoint, url: `http://127.0.0.1:${port}${mcpPath}` };
}
