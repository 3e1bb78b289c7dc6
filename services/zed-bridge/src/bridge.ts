// The bridge at work
//
// What it does of its own accord, beside answering calls: it claims work sessions, looks after processes and links, acts on
// deadlines, makes sessions of the threads that people begin in their editors, and reports. The parts do not call each other. Each looks in the database what is to be done, when somebody
// rings or after a while, and each repairs what a crash of any of them has left.
//
// It is taken down in the order in which nothing can undo it: no deadlines; the processes end, and what they said last is
// taken in; the other links close; what is owed is reported; the sessions are given back, for any bridge to claim.
import { type Client, createClient } from "@connectrpc/connect";
import { RunnerService } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { listenTo } from "@helix-zed/persistence";
import { type RunningRunner, startRunner } from "@helix-zed/runner";
import { createServiceTransport, type Log, type UpgradeListener } from "@helix-zed/server";
import type { App } from "./application/app.ts";
import type { LaunchRecipe } from "./launcher/launch-recipe.ts";
import { Supervisor } from "./launcher/supervisor.ts";
import { LinkServer } from "./link/link-server.ts";
import { Notifier } from "./persistence/notifier.ts";
import { watchDeadlines } from "./runner/deadline-timer.ts";
import { adoptEditorThreads } from "./runner/editor-thread-adopter.ts";
import { Reporter } from "./runner/reporter.ts";
import { workSessionHandler } from "./runner/work-session-handler.ts";
import { keepWorkspaces } from "./runner/workspace-keeper.ts";
import type { Workspaces } from "./workspace/workspaces.ts";

/** task-service, as the bridge calls it. */
export interface TaskServiceClients {
  readonly tasks: Client<typeof TaskService>;
  readonly workSessions: Client<typeof WorkSessionService>;
  readonly runners: Client<typeof RunnerService>;
}

/** What a bridge is made of. */
export interface BridgeOptions {
  readonly app: App;
  /** Its name. */
  readonly runner: string;
  readonly taskService: TaskServiceClients;
  readonly recipes: readonly LaunchRecipe[];
  readonly workspaces: Workspaces;
  readonly dataDirectory: string;
  /** How long the folders of an instance are kept after its last thread has ended. */
  readonly instanceRetentionMs?: number;
  readonly databaseUrl: string;
  readonly log: Log;
}

const CALL_TIMEOUT_MS = 10_000;

/** The clients of a task-service. */
export function taskServiceClients({ baseUrl, token }: { baseUrl: string; token: string }): TaskServiceClients {
  const upstream = "task-service";
  const transport = createServiceTransport({ upstream, baseUrl, token, defaultTimeoutMs: CALL_TIMEOUT_MS });
  return {
    tasks: createClient(TaskService, transport),
    workSessions: createClient(WorkSessionService, transport),
    runners: createClient(RunnerService, transport),
  };
}

/** Everything that the bridge does of its own accord. */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #links: LinkServer;
  readonly #reporter: Reporter;
  readonly #stopping = new AbortController();
  readonly #background: Promise<void>[] = [];
  #supervisor: Supervisor | null = null;
  #runner: RunningRunner | null = null;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#links = new LinkServer(options);
    const { workSessions } = options.taskService;
    this.#reporter = new Reporter({ ...options, workSessions });
  }

  /** Where editors connect. */
  get upgrade(): UpgradeListener {
    return this.#links.upgrade;
  }

  /** Begins; processes find the bridge at the address (`host:port`). */
  start(bridgeAddress: string): void {
    const { signal } = this.#stopping;
    this.#background.push(this.#listen(signal), watchDeadlines(this.#options, signal), this.#adoptThreads(signal));
    this.#background.push(keepWorkspaces(this.#options, signal));
    const linkSettled = (instanceId: string): Promise<void> => this.#links.settled(instanceId);
    const { instanceRetentionMs: retentionMs } = this.#options;
    const limits = retentionMs === undefined ? {} : { retentionMs };
    this.#supervisor = new Supervisor({ ...this.#options, bridgeAddress, linkSettled, limits });
    this.#supervisor.start();
    this.#reporter.start();
    this.#runner = this.#startRunner();
  }

  /** Takes everything down: processes too. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#supervisor?.stop();
    await this.#links.close();
    await this.#reporter.stop();
    await this.#runner?.stop();
    await Promise.all(this.#background);
  }

  #adoptThreads(signal: AbortSignal): Promise<void> {
    const { workSessions } = this.#options.taskService;
    return adoptEditorThreads({ ...this.#options, workSessions }, signal);
  }

  #listen(signal: AbortSignal): Promise<void> {
    const { app, databaseUrl, log } = this.#options;
    return listenTo({
      url: databaseUrl,
      applicationName: "zed-bridge listener",
      channel: Notifier.channel,
      doorbell: app.database.doorbell,
      world: app.world,
      signal,
      warn: (message) => log.warn(message),
    });
  }

  #startRunner(): RunningRunner {
    const { app, runner: name, taskService, workspaces, log } = this.#options;
    const { workSessions, runners } = taskService;
    return startRunner({
      name,
      agentTypes: [...app.agents.keys()],
      workSessions,
      runners,
      handler: workSessionHandler({ app, runner: name, workSessions, workspaces, log }),
      world: app.world,
      onProblem: ({ doing, workSessionId, error }) => log.warn({ err: error, workSession: workSessionId }, doing),
    });
  }
}
