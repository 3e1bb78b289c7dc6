import type { Logger } from "pino";
import { AgentConnection } from "./agent-connection.ts";
import type { AgentDefinition } from "./agent-definition.ts";
import { agentEnvironment, prepareHome } from "./agent-environment.ts";
import type { Environment } from "./passed-environment.ts";
import { AgentProcess } from "./agent-process.ts";
import { Failure } from "./failure.ts";
import { redactor } from "./secrets.ts";
import { within, type World } from "./world.ts";

export interface AgentsOptions {
  readonly definitions: readonly AgentDefinition[];
  /** What "no agent named" and `zed-agent` mean. */
  readonly defaultAgent: string;
  readonly environment: Environment;
  readonly dataDir: string;
  readonly workDir: string;
  readonly world: World;
  readonly log: Logger;
}

/** An agent that starts or runs; `connection` is there when it has started. */
interface Running {
  readonly started: Promise<AgentConnection>;
  connection?: AgentConnection;
}

const defaultNames: readonly (string | null)[] = [null, "zed-agent"];
const stopLimitMs = 3_000;

/** The agents of this host: one process for each name, started when it is first needed or needed again. */
export class Agents {
  readonly #options: AgentsOptions;
  readonly #running = new Map<string, Running>();
  readonly #processes = new Set<AgentProcess>();
  #stopped = false;

  constructor(options: AgentsOptions) {
    this.#options = options;
  }

  /** The agent that a name on the wire stands for. */
  find(wireName: string | null): AgentDefinition {
    const { definitions, defaultAgent } = this.#options;
    const name = defaultNames.includes(wireName) ? defaultAgent : wireName;
    const found = definitions.find((agent) => agent.name === name || agent.aliases.some((alias) => alias === name));
    if (found !== undefined) return found;
    const known = definitions.map((agent) => agent.name).join(", ");
    throw new Failure(`agent "${name}" is not configured on this host; known are ${known}`);
  }

  /** The running agent; two who ask at the same time get the same one, unless it has a process for each thread. */
  connect(agent: AgentDefinition): Promise<AgentConnection> {
    if (agent.process_per_thread) return this.#start(agent);
    const present = this.#running.get(agent.name);
    if (present !== undefined && present.connection?.isOpen !== false) return present.started;
    const running: Running = { started: this.#start(agent) };
    this.#running.set(agent.name, running);
    running.started.then(
      (connection) => (running.connection = connection),
      () => this.#running.get(agent.name) === running && this.#running.delete(agent.name),
    );
    return running.started;
  }

  /** Ends all agents with everything they started: SIGTERM, and SIGKILL for those that stay. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#processes].map((process) => this.#end(process)));
  }

  async #endWhenClosed(connection: AgentConnection, process: AgentProcess): Promise<void> {
    await connection.closed.catch(() => undefined);
    // While the host stops, it is being ended already.
    if (!this.#stopped) await this.#end(process);
  }

  async #end(process: AgentProcess): Promise<void> {
    process.kill("SIGTERM");
    await within(this.#options.world, stopLimitMs, "late", process.ended).catch(() => process.kill("SIGKILL"));
  }

  async #start(agent: AgentDefinition): Promise<AgentConnection> {
    if (this.#stopped) throw new Failure("the host is stopping");
    const { environment, dataDir, workDir, world, log } = this.#options;
    const startedAt = world.now();
    prepareHome(agent, dataDir);
    const redact = redactor(environment);
    const process = AgentProcess.start({
      name: agent.name,
      command: agent.command,
      args: agent.args,
      cwd: workDir,
      env: agentEnvironment(agent, environment, dataDir),
      onErrorLine: (line) => {
        if (log.isLevelEnabled("debug")) log.debug({ agent: agent.name, line: redact(line) }, "agent stderr");
      },
    });
    void this.#watch(agent, process);
    try {
      const connection = await AgentConnection.open({ agent, process, world, redact });
      void this.#endWhenClosed(connection, process);
      const { takesMcpOverHttp: mcp } = connection;
      log.info({ agent: agent.name, pid: process.pid, mcp, tookMs: world.now() - startedAt }, "agent started");
      return connection;
    } catch (error) {
      process.kill("SIGKILL");
      throw error;
    }
  }

  async #watch(agent: AgentDefinition, process: AgentProcess): Promise<void> {
    this.#processes.add(process);
    const end = await process.ended;
    this.#processes.delete(process);
    this.#options.log.info({ agent: agent.name, pid: process.pid, end }, "agent ended");
  }
}
