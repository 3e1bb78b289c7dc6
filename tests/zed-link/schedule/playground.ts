// Two sessions that share an editor, behind a network that means ill, and whoever plays a schedule on them
//
// It keeps what it has asked for and how many faults there had been when; what came of it is read from the bridge's
// database and from the editor's own record. The judge compares the two.
import type { AgentScript } from "@helix-zed/harness/fake-zed/agent-plan.ts";
import { NemesisProxy } from "@helix-zed/harness/nemesis/nemesis-proxy.ts";
import { Refusal } from "@helix-zed/domain";
import { isTurnOver, type TurnStatus } from "../../../services/zed-bridge/src/domain/turn.ts";
import type { Desk } from "../kit/desk.ts";
import type { LinkStage } from "../kit/link-stage.ts";
import { type Behaviour, planOf } from "./behaviour.ts";
import type { Deed, Step } from "./step.ts";

/** A prompt that was accepted. */
export interface AcceptedPrompt {
  readonly name: string;
  readonly who: number;
  readonly behaviour: Behaviour;
  readonly interrupt: boolean;
  readonly turnId: string;
}

/** What was seen of a turn, time after time. */
export interface SeenTurn {
  /** How many faults there had been when it still waited, and when it was seen to have ended. */
  faultsBefore: number;
  faultsAfter: number;
  end: string | null;
  /** Somebody has asked for its end. */
  stopped: boolean;
}

/** What somebody saw that must never be. */
export class Contradiction extends Error {}

interface SeenRow {
  readonly mapping: string;
  readonly thread: string | null;
  readonly id: string;
  readonly message: string;
  readonly status: TurnStatus;
  readonly reason: string;
  readonly attempt: number;
}

const SEEN = `
select m.id as mapping, m.zed_thread_id as thread, t.id, t.message, t.status, t.status_reason as reason, t.attempt
from zed_thread_mappings m join turns t on t.mapping_id = m.id
where m.id in (select jsonb_array_elements_text(?::jsonb)) order by t.number`;

const CALM = { split: 0.2, delay: 0.2, cut: 0 };
const SESSIONS = 2;
const RECONNECT_MS = 1_000;

/** One play of one schedule. */
export class Playground {
  readonly accepted: AcceptedPrompt[] = [];
  readonly seen = new Map<string, SeenTurn>();
  readonly desks: Desk[] = [];
  kills = 0;
  readonly #stage: LinkStage;
  readonly #nemesis: NemesisProxy;
  readonly #names = new Map<string, Behaviour>();
  readonly #threadNames = new Map<string, string>();
  #restarts = 0;
  #agentDeaths = 0;
  /** How many there had been when it was looked last. */
  #faultsSeen = 0;
  #waits = true;
  #deadPort: number | null = null;

  private constructor(stage: LinkStage, nemesis: NemesisProxy) {
    this.#stage = stage;
    this.#nemesis = nemesis;
  }

  /** Sets it up. */
  static async open(stage: LinkStage, seed: number): Promise<Playground> {
    const port = Number(stage.address.split(":")[1]);
    const nemesis = await NemesisProxy.start({ port, seed, mischief: CALM });
    const ground = new Playground(stage, nemesis);
    stage.watchAlso(nemesis);
    const behaviour = { address: nemesis.address, script: ground.#script };
    for (let who = 0; who < SESSIONS; who++) {
      const [beside] = ground.desks;
      const begun = { ...behaviour, firstPrompt: `begin${who}` };
      const desk = await stage.begin(beside === undefined ? begun : { ...begun, beside });
      ground.desks.push(desk);
      ground.#accept({ name: begun.firstPrompt, who, behaviour: "answers", interrupt: false }, await desk.request(1));
    }
    return ground;
  }

  /** How many connections were cut. */
  get cuts(): number {
    return this.#nemesis.cuts;
  }

  /** How many things went wrong that a turn may have felt. */
  get faults(): number {
    return this.cuts + this.kills + this.#restarts + this.#agentDeaths;
  }

  /** Plays a step, and looks what has become of everything. */
  async play({ deed, settled }: Step): Promise<void> {
    await this.#do(deed);
    if (!settled) return;
    await this.#stage.settle();
    if (this.#stage.hasBridge) await this.#look();
  }

  /** Lets everything be well again and go on to its end. */
  async finish(): Promise<void> {
    this.#nemesis.mischief = CALM;
    this.#nemesis.cut("reset");
    this.#waits = false;
    await this.#revive();
    for (const stepMs of [
      1_000,
      5_000,
      ...Array.from({ length: 40 }, () => 30_000),
      ...Array.from({ length: 24 }, () => 3_600_000),
    ]) {
      for (const { name } of this.accepted) this.desks[0]?.zed.release(name);
      await this.#stage.pass(stepMs);
      await this.#look();
      if ([...this.seen.values()].every(({ end }) => end !== null)) break;
    }
    await this.#stage.pass(1_000);
    await this.#look();
  }

  async close(): Promise<void> {
    await this.#revive();
    await this.#stage.dismiss();
    await this.#nemesis.close();
    await this.#stage.settle();
  }

  async #do(deed: Deed): Promise<void> {
    switch (deed.kind) {
      case "prompt":
        return this.#prompt(deed);
      case "repeat":
        return this.#repeat(deed.who);
      case "cancel":
        return this.#cancel(deed.who);
      case "progress":
        return this.#progress();
      case "cut":
        this.#nemesis.cut(deed.how);
        return deed.back ? this.#stage.pass(RECONNECT_MS) : undefined;
      case "flap":
        return this.#flap(deed.times);
      case "ambush":
        this.#nemesis.mischief = { ...CALM, cut: deed.share };
        return;
      case "kill_bridge":
        return this.#kill();
      case "restart_editor":
        return this.#restart();
      case "pass":
        return this.#stage.pass(deed.durationMs);
    }
  }

  async #flap(times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      this.#nemesis.cut("reset");
      await this.#stage.pass(RECONNECT_MS);
    }
  }

  async #prompt({ who, behaviour, interrupt }: Extract<Deed, { kind: "prompt" }>): Promise<void> {
    await this.#revive();
    const name = `p${this.accepted.length}`;
    this.#names.set(name, behaviour);
    if (interrupt) this.#stopRunning(who);
    const turn = await this.#desk(who).sendNow(name, { interrupt, requestId: name });
    this.#accept({ name, who, behaviour, interrupt }, turn.id);
  }

  #accept(prompt: Omit<AcceptedPrompt, "turnId">, turnId: string): void {
    this.accepted.push({ ...prompt, turnId });
    this.seen.set(turnId, { faultsBefore: this.faults, faultsAfter: this.faults, end: null, stopped: false });
  }

  async #repeat(who: number): Promise<void> {
    const last = this.accepted.slice(SESSIONS).findLast((prompt) => prompt.who === who);
    if (last === undefined) return;
    await this.#revive();
    const { name, interrupt } = last;
    const turn = await this.#desk(who).sendNow(name, { interrupt, requestId: name });
    if (turn.id !== last.turnId) throw new Contradiction(`${name} was accepted twice`);
  }

  async #cancel(who: number): Promise<void> {
    await this.#revive();
    this.#stopRunning(who);
    await this.#desk(who).cancelNow().catch(unlessRefused);
  }

  /** Whichever turn of the session runs in this moment: it may be any that has not ended. */
  #stopRunning(who: number): void {
    for (const { turnId } of this.accepted.filter((prompt) => prompt.who === who)) {
      const seen = this.seen.get(turnId);
      if (seen !== undefined && seen.end === null) seen.stopped = true;
    }
  }

  #progress(): void {
    const waiting = this.desks[0]?.data.records.findLast(({ end }) => end === "running");
    for (const name of [waiting?.message ?? "", ...[...this.#names.keys()].slice(0, 1)])
      this.desks[0]?.zed.release(name);
  }

  async #kill(): Promise<void> {
    if (!this.#stage.hasBridge) return this.#revive();
    this.kills += 1;
    this.#deadPort = await this.#stage.killBridge();
  }

  async #restart(): Promise<void> {
    await this.#revive();
    this.#restarts += 1;
    await this.#desk(0).crash();
    await this.#desk(0).launch({ ready: false });
  }

  async #revive(): Promise<void> {
    if (this.#deadPort === null) return;
    await this.#stage.startBridge(this.#deadPort);
    this.#deadPort = null;
  }

  readonly #script: AgentScript = ({ message, attempt }) => {
    const behaviour = this.#names.get(message) ?? "answers";
    if (behaviour === "dies" && attempt === 1) this.#agentDeaths += 1;
    return planOf(behaviour, { name: message, attempt, waits: this.#waits });
  };

  async #look(): Promise<void> {
    const rows = await this.#stage.app.database.snapshot((em) =>
      em.execute<SeenRow[]>(SEEN, [JSON.stringify(this.desks.map(({ session }) => session.mappingId))]),
    );
    for (const row of rows) this.#lookAt(row);
    this.#faultsSeen = this.faults;
    for (const { mapping, thread } of rows) {
      const earlier = this.#threadNames.get(mapping) ?? thread;
      if (earlier !== thread) throw new Contradiction(`the thread ${earlier} became ${thread}`);
      if (thread !== null) this.#threadNames.set(mapping, thread);
    }
  }

  #lookAt({ id, message, status, reason, attempt }: SeenRow): void {
    const seen = this.seen.get(id);
    if (seen === undefined) throw new Contradiction(`nobody has asked for this turn: ${message}`);
    const end = isTurnOver(status) ? `${status} ${reason}`.trimEnd() : null;
    if (seen.end !== null && seen.end !== end) throw new Contradiction(`${message} was ${seen.end}, and is ${end}`);
    if (status === "queued" && attempt === 0) seen.faultsBefore = this.#faultsSeen;
    if (seen.end === null) seen.faultsAfter = this.faults;
    seen.end = end;
  }

  #desk(who: number): Desk {
    const desk = this.desks[who];
    if (desk === undefined) throw new Error(`There is no session ${who}.`);
    return desk;
  }
}

function unlessRefused(error: unknown): void {
  if (!(error instanceof Refusal)) throw error;
}
