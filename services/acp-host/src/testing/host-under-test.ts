import { fileURLToPath } from "node:url";
import { join } from "node:path";
import type { SyncEvent } from "@helix-zed/sync-protocol";
import { pino } from "pino";
import { agentDefinition } from "../agent-definition.ts";
import { Agents } from "../agents.ts";
import { Host } from "../host.ts";
import { PermissionDesk } from "../permission-desk.ts";
import { ThreadIndex } from "../thread-index.ts";
import { Threads } from "../threads.ts";
import { type HostFolders, makeHostFolders } from "./host-process.ts";
import { SimulatedWorld } from "./simulated-world.ts";

const script = fileURLToPath(new URL("scripted-agent.ts", import.meta.url));

const running: { readonly agents: Agents; readonly folders: HostFolders }[] = [];

/** Ends all hosts that were made, and removes their folders. For `afterEach`, or `afterAll` where tests share one. */
export async function endHosts(): Promise<void> {
  const ending = running.splice(0);
  await Promise.all(ending.map(({ agents }) => agents.stop()));
  for (const { folders } of ending) folders.remove();
}

/** An event as the host sends it. */
export interface SentEvent {
  readonly event_type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Everything but the socket: a host in front of a scripted agent in a real process, with time that a test moves. */
export class HostUnderTest {
  readonly world = new SimulatedWorld();
  readonly events: SentEvent[] = [];
  readonly host: Host;
  readonly folders: HostFolders;
  readonly #waiting = new Set<() => void>();

  /** A host with an agent that fails in a certain way; `dataDir` is that of an earlier one to restart it. */
  constructor(agent: object = {}, failure = "", folders = makeHostFolders()) {
    const { world } = this;
    const { workDir, dataDir } = folders;
    this.folders = folders;
    const scripted = {
      name: "scripted",
      command: process.execPath,
      args: [script, failure],
      env_names: ["SCRIPTED_*"],
    };
    const definitions = [agentDefinition.parse({ ...scripted, ...agent })];
    const environment = { ...process.env, SCRIPTED_KEY: "very-secret-key" };
    const log = pino({ level: "silent" });
    const agents = new Agents({ definitions, defaultAgent: "scripted", environment, dataDir, workDir, world, log });
    running.push({ agents, folders });
    const index = ThreadIndex.open(join(dataDir, "threads.json"));
    const send = (event: SyncEvent): void => {
      this.events.push(event);
      for (const check of this.#waiting) check();
    };
    const permissions = new PermissionDesk({ world, send, limitMs: 60_000 });
    const threads = new Threads({ agents, index, workDir, world, log, send, desk: permissions });
    const limits = { readyAfterMs: 5_000, cancelLimitMs: 10_000 };
    this.host = new Host({ threads, desk: permissions, hasThreads: !index.isEmpty, world, log, send, ...limits });
  }

  command(type: string, data: object): void {
    this.host.onFrame(JSON.stringify({ type, data }));
  }

  say(message: string, request_id: string, more: object = {}): void {
    this.command("chat_message", { message, request_id, ...more });
  }

  async waitFor(condition: (event: SentEvent) => boolean): Promise<SentEvent> {
    const found = this.events.find(condition);
    if (found !== undefined) return found;
    return new Promise((resolve) => {
      const check = (): void => {
        const event = this.events.find(condition);
        if (event === undefined) return;
        this.#waiting.delete(check);
        resolve(event);
      };
      this.#waiting.add(check);
    });
  }

  ending(requestId: string): Promise<SentEvent> {
    const ends = ["message_completed", "chat_response_error", "thread_load_error"];
    return this.waitFor(({ event_type, data }) => ends.includes(event_type) && data["request_id"] === requestId);
  }

  /** Something is said in this request. */
  saying(requestId: string): Promise<SentEvent> {
    return this.waitFor(({ event_type, data }) => event_type === "message_added" && data["request_id"] === requestId);
  }

  /** A new thread with one finished turn. */
  async thread(request = "create"): Promise<string> {
    this.say("hello", request);
    await this.ending(request);
    const created = this.events.findLast((event) => event.event_type === "thread_created");
    return String(created?.data["acp_thread_id"]);
  }

  /** The last content of each entry of a request. */
  entries(requestId: string): string[] {
    const added = this.events.filter(
      ({ event_type: type, data }) => type === "message_added" && data["request_id"] === requestId,
    );
    return [...new Map(added.map(({ data }) => [data["message_id"], String(data["content"])])).values()];
  }
}

/** What the one tool call of a host went through. */
export function statuses(desk: HostUnderTest): unknown[] {
  const all = desk.events.flatMap(({ data }) => (data["entry_type"] === "tool_call" ? [data["tool_status"]] : []));
  return all.filter((status, at) => status !== all[at - 1]);
}

/** Restarts a host that has one thread, with an agent that is other than before. */
export async function restart(
  agent: object,
  failure: string,
): Promise<{ readonly desk: HostUnderTest; readonly thread: string }> {
  const first = new HostUnderTest();
  const thread = await first.thread();
  return { desk: new HostUnderTest(agent, failure, first.folders), thread };
}
