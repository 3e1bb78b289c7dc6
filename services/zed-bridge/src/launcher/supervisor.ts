// The supervisor
//
// Makes the processes of this bridge's instances what the database says they should be. Level-triggered: it reads what is
// wanted, compares it with what it holds, takes one step for each instance, and looks again when a step is done, when
// somebody rings, when a restart falls due, or after a while. Losing its memory costs nothing: what runs is adopted.
//
//   wanted, nothing runs      ──▶ prepare ─▶ start at the gate ─▶ record the pid ─▶ let it through
//   on record, not held       ──▶ the very same process lives: adopt it; else: record its end
//   held, not wanted any more ──▶ SIGTERM to its group, SIGKILL after a grace      (or it does not connect)
//   held, and it has ended    ──▶ end what it left running ─▶ take in what its link had brought ─▶ record the exit
//
// Whether and when an instance is started again is decided where the exit is recorded. A crash of the bridge between any
// two steps is repaired by the next bridge: what was not recorded never got through the gate.
//
// A bridge that is killed leaves its processes to the next one. A bridge that is told to stop takes them down with it.
import type { Log } from "@helix-zed/server";
import type { App } from "../application/app.ts";
import { grantEditorAccess } from "../application/grant-agent-access.ts";
import { type InstanceFacts, listInstances } from "../application/list-instances.ts";
import { type Launch, prepareLaunch } from "../application/prepare-launch.ts";
import { recordExit } from "../application/record-exit.ts";
import { recordLaunch } from "../application/record-launch.ts";
import { retireInstances } from "../application/retire-instances.ts";
import { isPassing, retry } from "../retry.ts";
import { adopt, type GatedProcess, type HostProcess, startGated } from "./host-process.ts";
import { type InstanceFolder, instanceFolder, makeInstanceFolder } from "./instance-folder.ts";
import { disposableFolders, type FolderSweep, removeFolder } from "./folder-sweep.ts";
import { endProcesses } from "./instance-processes.ts";
import type { LaunchRecipe } from "./launch-recipe.ts";
import { LogKeeper } from "./log-keeper.ts";
import { nextStep, type Step } from "./next-step.ts";
import { beginLog, lastLogLines } from "./output-log.ts";
import { isAlive, type ProcessIdentity } from "./process-identity.ts";
import { defaultSupervisorLimits, type SupervisorLimits } from "./supervisor-limits.ts";

/** What a supervisor is made of. */
export interface SupervisorOptions {
  readonly app: App;
  /** This bridge's name. */
  readonly runner: string;
  readonly recipes: readonly LaunchRecipe[];
  /** Where the instances' folders are. */
  readonly dataDirectory: string;
  /** Where the processes find this bridge: `host:port`. */
  readonly bridgeAddress: string;
  /** Resolves when an instance's links are closed and all they brought is taken in. */
  readonly linkSettled: (instanceId: string) => Promise<void>;
  readonly log: Log;
  readonly limits?: Partial<SupervisorLimits>;
}

const FAILURE_PAUSE_MS = 1_000;

/** A process that this bridge looks after. */
interface Held {
  readonly launch: number;
  readonly process: HostProcess;
  /** Resolves when it has ended and that is recorded. */
  readonly gone: Promise<void>;
  /** Why it was ended, where how it ended does not tell. */
  why?: string;
  /** Whether it was ended because it was not wanted: that counts against nobody. */
  planned?: boolean;
}

/** Looks after the processes of this bridge's instances. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #limits: SupervisorLimits;
  readonly #logs: LogKeeper;
  readonly #held = new Map<string, Held>();
  /** Steps and endings under way, one for each instance. */
  readonly #busy = new Map<string, Promise<void>>();
  readonly #launching = new Set<string>();
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #sweepAt = 0;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#limits = { ...defaultSupervisorLimits, ...options.limits };
    this.#logs = new LogKeeper({ ...options, pollMs: this.#limits.logPollMs });
  }

  /** Begins. */
  start(): void {
    this.#running = this.#run();
  }

  /** Ends all processes and records that; resolves when none is left. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    // At once, whatever the database lets a step under way wait for; and again, for what that step has started.
    const ended = this.#endAll();
    await this.#running;
    await Promise.all(this.#busy.values());
    await ended;
    await this.#endAll();
    await this.#logs.stop();
  }

  async #endAll(): Promise<void> {
    await Promise.all(Array.from(this.#held, ([id, held]) => this.#end(id, held).then(() => held.gone)));
  }

  async #run(): Promise<void> {
    const { app, log } = this.#options;
    const { signal } = this.#stopping;
    const ear = app.database.doorbell.listen("instances");
    while (!signal.aborted) {
      const waitMs = await this.#reconcile().catch((error: unknown) => {
        log.warn({ err: error }, "instances could not be looked after");
        return this.#limits.pollMs;
      });
      await ear.wait(waitMs, signal).catch(() => {});
    }
    ear.close();
  }

  /** Takes a step for each instance that needs one; gives the time until one falls due. */
  async #reconcile(): Promise<number> {
    const { app, runner } = this.#options;
    const instances = await listInstances(app, { runner });
    const now = app.world.now();
    if (now.getTime() >= this.#sweepAt) await this.#sweep(now);
    let waitMs = this.#limits.pollMs;
    for (const instance of instances) {
      if (this.#stopping.signal.aborted) break;
      if (this.#busy.has(instance.id)) continue;
      const step = nextStep(instance, this.#held.get(instance.id)?.launch ?? null, now);
      if (step.kind === "wait") waitMs = Math.min(waitMs, Math.max(1, step.until.getTime() - now.getTime()));
      else if (step.kind !== "none") this.#begin(step, instance);
    }
    return waitMs;
  }

  /** Hides what is over, and removes what it has left on the disk. */
  async #sweep(now: Date): Promise<void> {
    this.#sweepAt = now.getTime() + this.#limits.sweepMs;
    await retireInstances(this.#options.app, this.#options);
    const sweep: FolderSweep = { ...this.#options, retentionMs: this.#limits.retentionMs };
    for (const id of await disposableFolders(sweep)) {
      if (!this.#busy.has(id) && !this.#held.has(id)) void this.#do(id, () => removeFolder(sweep, id));
    }
  }

  #begin(step: Step, instance: InstanceFacts): void {
    const { id } = instance;
    if (step.kind !== "launch") return void this.#do(id, () => this.#take(step, instance));
    // The others have their turn when one of these is done.
    if (this.#launching.size >= this.#limits.launchesMax) return;
    this.#launching.add(id);
    void this.#do(id, () => this.#launch(id)).finally(() => this.#launching.delete(id));
  }

  /** Does one thing at a time for an instance, and looks again afterwards. */
  #do(instanceId: string, work: () => Promise<void>): Promise<void> {
    const done = this.#after(this.#busy.get(instanceId), instanceId, work);
    this.#busy.set(instanceId, done);
    return done.finally(() => {
      if (this.#busy.get(instanceId) === done) this.#busy.delete(instanceId);
      this.#options.app.database.doorbell.ring("instances");
    });
  }

  async #after(before: Promise<void> | undefined, instance: string, work: () => Promise<void>): Promise<void> {
    await before;
    try {
      await work();
    } catch (error) {
      this.#options.log.warn({ err: error, instance }, "an instance could not be looked after");
      await this.#pause();
    }
  }

  /** So that what does not work is not tried again at once. */
  async #pause(): Promise<void> {
    await this.#options.app.world.sleep(FAILURE_PAUSE_MS, this.#stopping.signal).catch(() => {});
  }

  async #take(step: Step, instance: InstanceFacts): Promise<void> {
    if (step.kind === "adopt") return this.#adopt(instance, step);
    const held = this.#held.get(instance.id);
    if (step.kind !== "stop" || held === undefined) return;
    held.planned = instance.desired === "stopped" || instance.revoked;
    if (instance.revoked) held.why = "its token was revoked";
    else if (instance.unresponsive) held.why = "it was not connected for too long";
    await this.#end(instance.id, held);
  }

  async #launch(instanceId: string): Promise<void> {
    const launch = await prepareLaunch(this.#options.app, { instanceId });
    if (launch === null) return this.#pause();
    await this.#start(launch);
  }

  async #start(launch: Launch): Promise<void> {
    const { log } = this.#options;
    const { instanceId, launch: number } = launch;
    let gated: GatedProcess;
    try {
      gated = await this.#startAtGate(launch);
    } catch (error) {
      const reason = `cannot be started: ${error instanceof Error ? error.message : String(error)}`;
      log.warn({ instance: instanceId, launch: number, why: reason }, "a launch has failed");
      // Even what was only asked what it can do may have left something running.
      await this.#finish(instanceId, { launch: number, leader: null, reason });
      return;
    }
    if (!(await this.#record(launch, gated))) return gated.turnAway();
    this.#hold(instanceId, number, gated);
    gated.letThrough();
    log.info({ instance: instanceId, launch: number, pid: gated.identity.pid }, "an instance is started");
  }

  async #startAtGate(launch: Launch): Promise<GatedProcess> {
    const { recipes, bridgeAddress } = this.#options;
    const recipe = recipes.find(({ target }) => target === launch.launchTarget);
    if (recipe === undefined) throw new Error(`this bridge does not know the launch target ${launch.launchTarget}`);
    const folder = this.#folder(launch.instanceId);
    await makeInstanceFolder(folder);
    await beginLog(folder.logFile);
    const access = launch.launchTarget === "acp-host" ? null : await grantEditorAccess(this.#options.app, launch);
    const mcpServers = access === null ? [] : [access];
    return startGated(await recipe.plan({ ...launch, folder, bridgeAddress, mcpServers }), folder.logFile);
  }

  async #record({ instanceId, launch }: Launch, gated: GatedProcess): Promise<boolean> {
    const { pid, startedAt } = gated.identity;
    try {
      return await recordLaunch(this.#options.app, { instanceId, launch, pid, pidStartedAt: startedAt });
    } catch (error) {
      await gated.turnAway();
      throw error;
    }
  }

  async #adopt({ id, launch }: InstanceFacts, identity: ProcessIdentity): Promise<void> {
    const { app, log } = this.#options;
    if (await isAlive(identity)) {
      log.info({ instance: id, launch, pid: identity.pid }, "an instance is adopted");
      this.#hold(id, launch, adopt(identity, app.world));
      return;
    }
    // Its number may be somebody else's by now: only what can be told to be its own is ended.
    await this.#finish(id, { launch, leader: null, reason: "ended while no bridge was looking" });
  }

  #hold(instanceId: string, launch: number, process: HostProcess): void {
    this.#held.set(instanceId, { launch, process, gone: this.#followToEnd(instanceId, launch, process) });
    this.#logs.keep({ instanceId, launch, file: this.#folder(instanceId).logFile });
  }

  async #followToEnd(instanceId: string, launch: number, { identity, ended }: HostProcess): Promise<void> {
    const how = await ended;
    await this.#do(instanceId, async () => {
      const { why, planned = false } = this.#held.get(instanceId) ?? {};
      const reason = why === undefined ? how : `${how}: ${why}`;
      // Whatever becomes of this: what is held is alive. What could not be recorded is found again by its pid.
      this.#held.delete(instanceId);
      await this.#finish(instanceId, { launch, leader: identity.pid, reason, planned });
    });
  }

  /** Ends a process that is held, and waits until that is noticed. */
  async #end(instanceId: string, { process }: Held): Promise<void> {
    const { world } = this.#options.app;
    const processes = { leader: process.identity.pid, folder: this.#folder(instanceId).root };
    const gone = await endProcesses(processes, { graceMs: this.#limits.stopGraceMs, world });
    if (!gone) this.#options.log.error({ instance: instanceId, ...processes }, "processes could not be ended");
    await process.ended;
  }

  /** A process has ended: nothing of it is left running, nothing it said is lost, and that is recorded. */
  async #finish(id: string, { launch, leader, reason, ...ending }: Ending): Promise<void> {
    const { app, log, linkSettled } = this.#options;
    const { leftoverGraceMs, settleMsMax } = this.#limits;
    const folder = this.#folder(id);
    await endProcesses({ leader, folder: folder.root }, { graceMs: leftoverGraceMs, world: app.world });
    await Promise.race([linkSettled(id), app.world.sleep(settleMsMax)]);
    this.#logs.forget(id);
    const logLines = await lastLogLines(folder.logFile);
    log.info({ instance: id, launch, reason }, "an instance has ended");
    const planned = ending.planned === true || this.#stopping.signal.aborted;
    await this.#persist(() => recordExit(app, { instanceId: id, launch, reason, logLines, planned }));
  }

  #persist(work: () => Promise<void>): Promise<void> {
    const { world } = this.#options.app;
    return retry(work, { world, again: (error) => isPassing(error) && !this.#stopping.signal.aborted });
  }

  #folder(instanceId: string): InstanceFolder {
    return instanceFolder(this.#options.dataDirectory, instanceId);
  }
}

interface Ending {
  readonly launch: number;
  readonly leader: number | null;
  readonly reason: string;
  readonly planned?: boolean;
}
