// One system with one real agent, and the sessions that a test begins in it.
//
// All sessions belong to one task and one folder, so one acp-host and one process of the agent carry them all. The host
// reaches the bridge through a proxy, so that the line between them can be cut while both live.

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { type Json, RestClient } from "@helix-zed/harness/rest-client.ts";
import { survivorsOf } from "@helix-zed/harness/survivors.ts";
import { TcpProxy } from "@helix-zed/harness/tcp-proxy.ts";
import type { AgentProfile } from "./agent-profile.ts";
import { installAgent } from "./install-agent.ts";
import { RealSession } from "./real-session.ts";

const REPORT_CHARACTERS = 10_000;

/** A running system that serves one agent. */
export class AgentStage {
  readonly profile: AgentProfile;
  readonly cluster: Cluster;
  readonly rest: RestClient;
  readonly repository: string;
  readonly #proxy: TcpProxy;
  #taskId = "";

  private constructor(profile: AgentProfile, cluster: Cluster, proxy: TcpProxy) {
    this.profile = profile;
    this.cluster = cluster;
    this.#proxy = proxy;
    this.rest = new RestClient(cluster.gatewayUrl, cluster.token("local"));
    this.repository = cluster.makeRepository("shop");
  }

  static async open(profile: AgentProfile): Promise<AgentStage> {
    const commands = profile.installed && (await installAgent(profile.installed.name, profile.installed.version));
    const folders = [commands ?? [], path.dirname(process.execPath), process.env["PATH"] ?? []].flat();
    const bridge = { host: "127.0.0.1", port: 0 };
    const proxy = await TcpProxy.start(bridge);
    const cluster = await startCluster({
      environment: {
        "zed-bridge": {
          HELIX_ZED_EDITOR_ADDRESS: `127.0.0.1:${proxy.port}`,
          PATH: folders.join(path.delimiter),
        },
      },
      agentsFile: (modelUrl) => agentsFile(profile, modelUrl),
    });
    bridge.port = cluster.layout.ports["zed-bridge"];
    return new AgentStage(profile, cluster, proxy);
  }

  async close(): Promise<void> {
    await this.cluster.stop();
    await this.#proxy.close();
  }

  /** Begins a work session of the one task with this prompt. */
  async begin(prompt: string, agentConfig: Json = {}): Promise<RealSession> {
    const session = { name: "Work", agent_type: "zed_agent", agent_config: { prompt, ...agentConfig } };
    if (this.#taskId !== "") {
      const { body } = await this.rest.post(`/api/v1/tasks/${this.#taskId}/work-sessions`, session);
      return new RealSession(this, body["id"]);
    }
    const { body: task } = await this.rest.post("/api/v1/tasks", {
      name: "Shop",
      task_type: "interactive",
      project_path: this.repository,
      work_sessions: [session],
    });
    this.#taskId = task["id"];
    const { body } = await this.rest.get(`/api/v1/tasks/${this.#taskId}/work-sessions`);
    return new RealSession(this, body["work_sessions"][0]["id"]);
  }

  /** A file that an agent wrote. */
  file(name: string): string {
    return readFileSync(path.join(this.repository, name), "utf8");
  }

  /** Breaks the link between host and bridge. */
  cutLink(): void {
    this.#proxy.cut();
  }

  /** What the hosts have logged last. */
  report(): string {
    const folder = path.join(this.cluster.layout.dataFolder, "zed-bridge", "instances");
    const logs = readdirSync(folder).map((id) => readFileSync(path.join(folder, id, "output.log"), "utf8"));
    return logs.join("\n").slice(-REPORT_CHARACTERS);
  }

  /** The one instance. */
  async instance(): Promise<Json> {
    const { body } = await this.rest.get("/api/v1/zed-instances");
    return body["zed_instances"][0];
  }

  /** Kills the host, and waits until another one is connected. */
  async restartHost(meanwhile: (dataFolder: string) => void = () => {}): Promise<void> {
    const { id, pid } = await this.instance();
    process.kill(pid, "SIGKILL");
    meanwhile(path.join(this.cluster.layout.dataFolder, "zed-bridge", "instances", id, "data"));
    await eventually("another host is connected", async () => {
      const now = await this.instance();
      return now["pid"] !== pid && now["connected"] === true;
    });
  }

  /** The process groups of the agent: the children of the host. */
  async agentGroups(): Promise<number[]> {
    const { pid } = await this.instance();
    return survivorsOf(this.cluster.layout.dataFolder).flatMap((process) =>
      parentOf(process.pid) === pid ? [process.pid] : [],
    );
  }

  /** Kills the agent with all its children. */
  async killAgent(): Promise<void> {
    for (const group of await this.agentGroups()) process.kill(-group, "SIGKILL");
  }
}

function agentsFile({ name, definition }: AgentProfile, modelUrl: string): Json {
  return { default_agent: name, agents: definition === undefined ? [] : [definition(modelUrl)] };
}

/** The parent of a process, or `undefined` if it has ended; Linux only. */
function parentOf(pid: number): number | undefined {
  try {
    const afterName = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1);
    return Number(afterName?.split(" ")[1]);
  } catch {
    return undefined;
  }
}
