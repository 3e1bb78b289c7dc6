// A bridge as far as it launches things: supervisor, links and deadlines on a real database and a real port. What it is
// told to leave behind is looked for when it closes: a process of any of its instances fails the test.
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { eventually } from "@helix-zed/harness/eventually.ts";
import type { App } from "../../application/app.ts";
import { sendMessage } from "../../application/send-message.ts";
import { getZedInstance } from "../../application/zed-instances.ts";
import { defaultLimits, type Limits } from "../../domain/limits.ts";
import type { LaunchTarget, ZedInstance } from "../../domain/zed-instance.ts";
import type { LinkLimits } from "../../link/link-limits.ts";
import { watchDeadlines } from "../../runner/deadline-timer.ts";
import { type BridgeApp, type ClaimedSession, claimSession, type ClaimOptions } from "../../testing/bridge-app.ts";
import { ann, transcriptOf, turnsOf } from "../../testing/read-thread.ts";
import { type ServedLinks, serveLinks, silentLog } from "../../testing/serve-links.ts";
import type { LaunchRecipe } from "../launch-recipe.ts";
import { Supervisor } from "../supervisor.ts";
import type { SupervisorLimits } from "../supervisor-limits.ts";
import { processesOf } from "./processes-of.ts";

/** What a test may choose. */
export interface BenchOptions {
  readonly target: LaunchTarget;
  /** Given the folder that the bench has made. */
  readonly recipes: (folder: string) => readonly LaunchRecipe[];
  readonly limits?: Partial<Limits>;
  readonly linkLimits?: Partial<LinkLimits>;
  readonly supervisorLimits?: Partial<SupervisorLimits>;
}

/** Processes are slow to start on a machine that is busy. */
const PATIENCE_MS = 60_000;

/** A bridge that launches, for one test. */
export class LaunchBench {
  readonly app: App;
  /** Holds the data folder and the project. */
  readonly folder: string;
  readonly #options: BenchOptions;
  readonly #stopping = new AbortController();
  #links: ServedLinks | null = null;
  #supervisor: Supervisor | null = null;
  #deadlines: Promise<void> = Promise.resolve();

  constructor(bridge: BridgeApp, options: BenchOptions) {
    const limits = { ...defaultLimits, restartDelayMs: 1, restartDelayMsMax: 5, ...options.limits };
    this.app = { ...bridge.app, limits, launchTarget: options.target };
    this.folder = realpathSync(mkdtempSync(path.join(tmpdir(), "zed-bridge-launch-")));
    this.#options = options;
    for (const name of ["data", "project"]) mkdirSync(path.join(this.folder, name));
  }

  /** Opens the port and begins to look after instances. */
  static async open(bridge: BridgeApp, options: BenchOptions): Promise<LaunchBench> {
    const bench = new LaunchBench(bridge, options);
    await bench.#start();
    return bench;
  }

  get project(): string {
    return path.join(this.folder, "project");
  }

  get dataDirectory(): string {
    return path.join(this.folder, "data");
  }

  /** `127.0.0.1:PORT` */
  get address(): string {
    if (this.#links === null) throw new Error("The bench is not open.");
    return this.#links.address;
  }

  /** This bench sees no instances but its own. */
  get runner(): string {
    return path.basename(this.folder);
  }

  /** Claims a session whose first prompt is "Say hello". */
  claim(options: ClaimOptions = {}): Promise<ClaimedSession> {
    return claimSession(this.app, { projectPath: this.project, runner: this.runner, ...options });
  }

  say({ workSessionId }: ClaimedSession, message: string): Promise<unknown> {
    return sendMessage(this.app, ann, { workSessionId, message, interrupt: false, requestId: "" });
  }

  /** Waits until the transcript of a session is this. */
  async transcript({ workSessionId }: ClaimedSession, ...wanted: readonly string[]): Promise<void> {
    let found: string[] = [];
    const isThere = async (): Promise<boolean> => {
      found = await transcriptOf(this.app, workSessionId);
      return JSON.stringify(found) === JSON.stringify(wanted);
    };
    await eventually(`the transcript ${wanted.join(" | ")}`, isThere, PATIENCE_MS).catch(async (error: unknown) => {
      const turns = await turnsOf(this.app, workSessionId);
      throw new Error(`it is ${found.join(" | ")}, with the turns ${turns.join(", ")}`, { cause: error });
    });
  }

  instance({ instanceId }: ClaimedSession): Promise<ZedInstance> {
    return getZedInstance(this.app, ann, { id: instanceId });
  }

  /** Waits until an instance is as it should be. */
  async instanceWhere(
    session: ClaimedSession,
    wanted: string,
    holds: (instance: ZedInstance) => boolean,
  ): Promise<ZedInstance> {
    const ask = async (): Promise<ZedInstance | false> => {
      const instance = await this.instance(session);
      return holds(instance) && instance;
    };
    return eventually(wanted, ask, PATIENCE_MS);
  }

  /** The processes of all instances, and of whatever else has its home below the bench's folder. */
  processes(): number[] {
    return processesOf(this.folder);
  }

  /** Takes everything down, and throws if a process was left behind. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#supervisor?.stop();
    await this.#links?.close();
    await this.#deadlines;
    const left = this.processes();
    for (const pid of left) process.kill(pid, "SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`processes were left behind: ${left.join(", ")}`);
  }

  async #start(): Promise<void> {
    const { app, runner, dataDirectory } = this;
    const { recipes, linkLimits, supervisorLimits } = this.#options;
    this.#links = await serveLinks(app, { pollMs: 200, ...linkLimits });
    const { links, address: bridgeAddress } = this.#links;
    this.#supervisor = new Supervisor({
      app,
      runner,
      recipes: recipes(this.folder),
      dataDirectory,
      bridgeAddress,
      linkSettled: (id) => links.settled(id),
      log: silentLog,
      limits: { pollMs: 100, stopGraceMs: 500, leftoverGraceMs: 100, logPollMs: 100, ...supervisorLimits },
    });
    this.#supervisor.start();
    this.#deadlines = watchDeadlines({ app, runner, log: silentLog, intervalMs: 100 }, this.#stopping.signal);
  }
}
