import { FakeZed, type FakeZedOptions } from "@helix-zed/harness/fake-zed/fake-zed.ts";
import { ZedDataFolder } from "@helix-zed/harness/fake-zed/zed-data-folder.ts";
import { cancelTurn } from "../../../services/zed-bridge/src/application/cancel-turn.ts";
import { deleteZedThread } from "../../../services/zed-bridge/src/application/delete-zed-thread.ts";
import { type InstanceFacts, listInstances } from "../../../services/zed-bridge/src/application/list-instances.ts";
import { prepareLaunch } from "../../../services/zed-bridge/src/application/prepare-launch.ts";
import { recordExit } from "../../../services/zed-bridge/src/application/record-exit.ts";
import { recordLaunch } from "../../../services/zed-bridge/src/application/record-launch.ts";
import { sendMessage } from "../../../services/zed-bridge/src/application/send-message.ts";
import type { ThreadView } from "../../../services/zed-bridge/src/application/thread-view.ts";
import { Turn } from "../../../services/zed-bridge/src/domain/turn.ts";
import {
  type ClaimedSession,
  type ClaimOptions,
  claimSession,
} from "../../../services/zed-bridge/src/testing/bridge-app.ts";
import { ann, threadOf, transcriptOf, turnsOf } from "../../../services/zed-bridge/src/testing/read-thread.ts";
import type { LinkStage } from "./link-stage.ts";

/** How the editor behaves: everything but where it connects. */
export type ZedBehaviour = Partial<Omit<FakeZedOptions, "instanceId" | "token" | "world" | "data">>;

/** What a session begins with. */
export interface DeskOptions extends ZedBehaviour, Omit<ClaimOptions, "runner"> {
  /** Whether the editor has said that it is ready. */
  readonly ready?: boolean;
  /** An editor that is there already, for another session of the same task. */
  readonly beside?: Desk;
}

/** From a connect until an editor says of its own accord that it is ready. */
export const READY_MS = 5_000;

/** A pause that is long enough for an editor to be started again. */
export const RESTART_MS = 2_000;

/** The process of an instance, over all of its lives. */
class Machine {
  readonly data = new ZedDataFolder();
  readonly #stage: LinkStage;
  readonly #instanceId: string;
  readonly #behaviour: ZedBehaviour;
  #zed: FakeZed | null = null;
  #launch = 0;
  token = "";

  constructor(stage: LinkStage, instanceId: string, behaviour: ZedBehaviour) {
    this.#stage = stage;
    this.#instanceId = instanceId;
    this.#behaviour = behaviour;
  }

  get zed(): FakeZed {
    if (this.#zed === null) throw new Error("The editor was not started.");
    return this.#zed;
  }

  async launch(): Promise<void> {
    const { app } = this.#stage;
    const launch = await prepareLaunch(app, { instanceId: this.#instanceId });
    if (launch === null) throw new Error("no launch is wanted");
    this.token = launch.token;
    this.#launch = launch.launch;
    await recordLaunch(app, { ...launch, pid: 1_000 + launch.launch, pidStartedAt: String(launch.launch) });
    this.start();
  }

  /** Starts the process with what it was started with last, as whoever restarts it behind our back does. */
  start(): void {
    const { address, world } = this.#stage;
    const { data, token } = this;
    this.#zed = FakeZed.start({ address, ...this.#behaviour, world, data, token, instanceId: this.#instanceId });
    this.#stage.watch(this.#zed);
  }

  async crash(reason: string): Promise<void> {
    await this.zed.quit();
    await this.#stage.settle();
    const exit = { instanceId: this.#instanceId, launch: this.#launch, reason, logLines: ["bye"] };
    await recordExit(this.#stage.app, exit);
  }
}

/** One session and its editor, as a person and a test see them. */
export class Desk {
  readonly session: ClaimedSession;
  readonly #stage: LinkStage;
  readonly #machine: Machine;

  private constructor(stage: LinkStage, session: ClaimedSession, machine: Machine) {
    this.#stage = stage;
    this.session = session;
    this.#machine = machine;
  }

  /** Claims a session and starts its editor. */
  static async begin(stage: LinkStage, options: DeskOptions): Promise<Desk> {
    const { ready = true, beside } = options;
    const taskId = beside === undefined ? {} : { taskId: (await beside.thread()).mapping.taskId };
    const session = await claimSession(stage.app, { ...taskId, ...options, runner: stage.runner });
    const machine = beside === undefined ? new Machine(stage, session.instanceId, options) : beside.#machine;
    const desk = new Desk(stage, session, machine);
    if (beside === undefined) {
      await machine.launch();
      await stage.settle();
      if (ready) await stage.pass(READY_MS);
    }
    await stage.settle();
    return desk;
  }

  get zed(): FakeZed {
    return this.#machine.zed;
  }

  /** What survives the lives of its editor. */
  get data(): ZedDataFolder {
    return this.#machine.data;
  }

  get token(): string {
    return this.#machine.token;
  }

  thread(): Promise<ThreadView> {
    return threadOf(this.#stage.app, this.session.workSessionId);
  }

  /** The name of its thread in the editor. */
  async threadId(): Promise<string> {
    const { mapping } = await this.thread();
    if (mapping.zedThreadId === null) throw new Error("The thread has no name yet.");
    return mapping.zedThreadId;
  }

  async instance(): Promise<InstanceFacts> {
    const instances = await listInstances(this.#stage.app, { runner: this.#stage.runner });
    const found = instances.find(({ id }) => id === this.session.instanceId);
    if (found === undefined) throw new Error("The instance is not looked after.");
    return found;
  }

  /** Statuses of the turns in order, with their reasons. */
  turns(): Promise<string[]> {
    return turnsOf(this.#stage.app, this.session.workSessionId);
  }

  /** The turns in order. */
  async turnRows(): Promise<Turn[]> {
    const { mapping } = await this.thread();
    return this.#stage.app.database.snapshot((em) =>
      em.find(Turn, { mappingId: mapping.id }, { orderBy: { number: "asc" } }),
    );
  }

  /** The request id of the turn with this number. */
  async request(number: number): Promise<string> {
    const turn = (await this.turnRows())[number - 1];
    if (turn === undefined) throw new Error(`There is no turn ${number}.`);
    return turn.id;
  }

  /** Who said what, in order. */
  transcript(): Promise<string[]> {
    return transcriptOf(this.#stage.app, this.session.workSessionId);
  }

  /** Says something to the agent; settled. */
  async say(message: string, how: { interrupt?: boolean; requestId?: string } = {}): Promise<Turn> {
    const turn = await this.sendNow(message, how);
    await this.#stage.settle();
    return turn;
  }

  /** Says something, and waits for nothing but its being accepted. */
  sendNow(message: string, { interrupt = false, requestId = "" } = {}): Promise<Turn> {
    const { workSessionId } = this.session;
    return sendMessage(this.#stage.app, ann, { workSessionId, message, interrupt, requestId });
  }

  /** Takes a turn back, the one that runs unless another is named; settled. */
  async cancel(turnId = ""): Promise<void> {
    await this.cancelNow(turnId);
    await this.#stage.settle();
  }

  /** Asks for the end of a turn, and waits for nothing. */
  async cancelNow(turnId = ""): Promise<void> {
    await cancelTurn(this.#stage.app, ann, { workSessionId: this.session.workSessionId, turnId });
  }

  /** Ends the thread; settled. */
  async end(): Promise<void> {
    await deleteZedThread(this.#stage.app, ann, { workSessionId: this.session.workSessionId });
    await this.#stage.settle();
  }

  /** Lets the agents go on that hold at this name; settled. */
  async release(name: string): Promise<void> {
    this.zed.release(name);
    await this.#stage.settle();
  }

  /** The socket breaks; it is not back yet. */
  async drop(): Promise<void> {
    await this.zed.connection.drop();
    await this.#stage.settle();
  }

  /** The process ends by itself, and that is noticed. */
  async crash(reason = "killed by SIGKILL"): Promise<void> {
    await this.#machine.crash(reason);
    await this.#stage.settle();
  }

  /** The process is started, as after a crash, and has connected. */
  async launch({ ready = true }: { readonly ready?: boolean } = {}): Promise<void> {
    await this.#stage.pass(RESTART_MS);
    await this.#machine.launch();
    await this.#stage.settle();
    if (ready) await this.#stage.pass(READY_MS);
  }

  /** The process ends and is started again by somebody else, with the token that it has; nobody tells us. */
  async restartBehindOurBack(): Promise<void> {
    await this.zed.quit();
    await this.#stage.pass(RESTART_MS);
    this.#machine.start();
    await this.#stage.settle();
  }
}
