// A task on a running system, and agents that call the MCP server as tests want
//
// Everything is real but the editor: it connects as one that somebody else has started, is told of the MCP server like our
// own host, and leaves it to the test what its agents do, each with the SDK's own client and the token that it was given.
import path from "node:path";
import type { Cluster } from "@helix-zed/harness/cluster.ts";
import { eventOf } from "@helix-zed/harness/fake-zed/event-of.ts";
import { FakeEditor } from "@helix-zed/harness/fake-editor.ts";
import { type Json, RestClient } from "@helix-zed/harness/rest-client.ts";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

/** What a tool answered. */
export interface ToolAnswer {
  /** What it answered with, or nothing if it refused. */
  readonly value: Json;
  /** Why it refused; empty if it did not. */
  readonly refusal: string;
}

/** An agent at work in a session. */
export class Worker {
  readonly editor: FakeEditor;
  /** What it was told to do. */
  readonly prompt: string;
  readonly token: string;
  readonly thread: string;
  readonly #requestId: string;
  readonly #url: string;
  #client: Client | null = null;

  constructor(editor: FakeEditor, told: Told) {
    this.editor = editor;
    this.prompt = told.message;
    this.#requestId = told.request_id;
    this.thread = told.acp_thread_id ?? `thread-of-${told.request_id}`;
    const [server] = told.mcp_servers ?? [];
    this.#url = server?.url ?? "";
    this.token = server?.headers[0]?.value.replace("Bearer ", "") ?? "";
  }

  /** A client that has introduced itself; the same for all calls until it is closed. */
  async client(): Promise<Client> {
    if (this.#client !== null) return this.#client;
    const client = new Client({ name: "worker", version: "1" });
    const headers = { authorization: `Bearer ${this.token}` };
    await client.connect(new StreamableHTTPClientTransport(new URL(this.#url), { requestInit: { headers } }));
    this.#client = client;
    return client;
  }

  /** Uses a tool. */
  async use(name: string, input: object = {}): Promise<ToolAnswer> {
    const client = await this.client();
    return answerIn(await client.callTool({ name, arguments: { ...input } }, { timeout: 120_000 }));
  }

  /** Ends its turn with these words. */
  finish(words: string): void {
    const to = { acp_thread_id: this.thread, request_id: this.#requestId };
    this.editor.send(eventOf("message_added", { ...to, message_id: "1", content: words }));
    this.editor.send(eventOf("message_completed", to));
  }

  async close(): Promise<void> {
    await this.#client?.close();
    this.#client = null;
  }
}

/** What a tool has answered, out of what the client makes of it. */
export function answerIn({ content, isError }: Awaited<ReturnType<Client["callTool"]>>): ToolAnswer {
  const [first] = content;
  const text = first?.type === "text" ? first.text : "";
  return isError === true ? { value: {}, refusal: text } : { value: parse(text), refusal: "" };
}

function parse(text: string): Json {
  const value: Json = JSON.parse(text);
  return value;
}

interface Told {
  readonly message: string;
  readonly request_id: string;
  readonly acp_thread_id: string | null;
  readonly mcp_servers?:
    | readonly { readonly url: string; readonly headers: readonly { readonly value: string }[] }[]
    | undefined;
}

/** A task with an editor in which its sessions are worked on. */
export class Crew {
  readonly task: Json;
  readonly editor: FakeEditor;
  readonly #rest: RestClient;
  readonly #workers: Worker[] = [];

  private constructor(task: Json, editor: FakeEditor, rest: RestClient) {
    this.task = task;
    this.editor = editor;
    this.#rest = rest;
  }

  /** Creates a task with sessions of these names, each told to do what it is called. */
  static async gather(cluster: Cluster, names: readonly string[], holder: "local" | "other" = "local"): Promise<Crew> {
    const rest = new RestClient(cluster.gatewayUrl, cluster.token(holder));
    const folder = path.join(cluster.workspaceRoot, `crew-${crypto.randomUUID()}`);
    cluster.makeRepository(path.basename(folder));
    const { body: task } = await rest.post("/api/v1/tasks", {
      name: names.join(", "),
      task_type: "interactive",
      project_path: folder,
      work_sessions: names.map((name) => ({ name, description: name, agent_type: "zed_agent" })),
    });
    const editor = await connect(cluster, rest, { task, folder });
    return new Crew(task, editor, rest);
  }

  /** The next session that is begun, or the next message to one. */
  async next(): Promise<Worker> {
    const { data } = await this.editor.take("chat_message");
    const worker = new Worker(this.editor, data);
    this.#workers.push(worker);
    if (data.acp_thread_id === null) {
      this.editor.send(eventOf("thread_created", { acp_thread_id: worker.thread, request_id: data.request_id }));
    }
    return worker;
  }

  /** A session as its owner reads it. */
  async session(id: string): Promise<Json> {
    return (await this.#rest.get(`/api/v1/work-sessions/${id}`)).body;
  }

  /** All sessions of the task, oldest first. */
  async sessions(): Promise<Json[]> {
    const { body } = await this.#rest.get(`/api/v1/tasks/${this.task["id"]}/work-sessions`);
    const found: Json[] = body["work_sessions"];
    return found;
  }

  /** Its owner gives a session up. */
  async cancel(id: string): Promise<void> {
    const { status } = await this.#rest.put(`/api/v1/work-sessions/${id}/status`, { status: "cancelled" });
    if (status !== 200) throw new Error(`The session was not cancelled: ${status}`);
  }

  async leave(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
    await this.editor.close();
  }
}

async function connect(
  cluster: Cluster,
  rest: RestClient,
  { task, folder }: { readonly task: Json; readonly folder: string },
): Promise<FakeEditor> {
  const instanceId = `sandbox-${crypto.randomUUID()}`;
  const wanted = { task_id: task["id"], zed_session_id: instanceId, working_directory: folder };
  const { status, body } = await rest.post("/api/v1/zed-instances:adopt", wanted);
  if (status !== 200) throw new Error(`The editor was not adopted: ${JSON.stringify(body)}`);
  const address = new URL(cluster.bridgeUrl).host;
  const editor = await FakeEditor.connect({ address, instanceId, token: body["token"] });
  editor.send(eventOf("agent_ready", { agent_name: "zed-agent", thread_id: null }));
  return editor;
}
