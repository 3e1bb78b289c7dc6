// A bridge's link and use cases, its database, and fake Zeds on real sockets, all in one process and one simulated time
//
// Nothing here waits for a clock. `settle` waits until everything that can happen without time has happened: no
// transaction is under way, nothing is about to be said, and nothing stirs over several rounds of the event loop. `pass`
// lets time pass, for the editors and for the bridge's deadlines, and settles.
import { setTimeout as delay } from "node:timers/promises";
import type { FakeZed } from "@helix-zed/harness/fake-zed/fake-zed.ts";
import { freshDatabase } from "@helix-zed/harness/fresh-database.ts";
import { afterAll, afterEach, beforeAll } from "vitest";
import type { App } from "../../../services/zed-bridge/src/application/app.ts";
import { forgetLinks } from "../../../services/zed-bridge/src/application/close-link.ts";
import { expireDeadlines } from "../../../services/zed-bridge/src/application/expire-deadlines.ts";
import type { LinkLimits } from "../../../services/zed-bridge/src/link/link-limits.ts";
import { migrateBridge } from "../../../services/zed-bridge/src/persistence/migrate.ts";
import { openApp } from "../../../services/zed-bridge/src/testing/open-app.ts";
import { type ServedLinks, serveLinks } from "../../../services/zed-bridge/src/testing/serve-links.ts";
import { SimulatedWorld } from "../../../services/zed-bridge/src/testing/simulated-world.ts";
import { type CountedDatabase, openCountedDatabase } from "./counted-database.ts";
import { Desk, type DeskOptions } from "./desk.ts";

/** A link that nobody looks after by himself within the time of a test. */
const UNWATCHED: Partial<LinkLimits> = { pollMs: 60_000 };

/** What is on the other side keeps no promises: it is no host of ours. */
const usual = { launchTarget: "zed-headless" } as const;

const QUIET_ROUNDS = 3;
const PATIENCE_MS = 20_000;

/** A stage for all tests of a file, one test after the other. */
export function stageForTests(options: StageOptions = {}): LinkStage {
  const stage = new LinkStage(options);
  beforeAll(() => stage.open());
  afterEach(() => stage.next());
  afterAll(() => stage.close());
  return stage;
}

/** What a stage may be given. */
export interface StageOptions {
  readonly parts?: Partial<Omit<App, "database" | "world">>;
  readonly limits?: Partial<LinkLimits>;
}

/** Something that frames pass through. */
interface Bystander {
  readonly stirs: number;
  readonly isBusy: boolean;
}

/** The bridge of this moment. */
interface BridgeLife {
  readonly counted: CountedDatabase;
  readonly app: App;
  readonly served: ServedLinks;
}

/** Everything that a test of the link needs. */
export class LinkStage {
  readonly world = new SimulatedWorld();
  /** The bridge whose sessions the present test has. */
  runner = "bridge-0";
  readonly #options: StageOptions;
  readonly #zeds = new Set<FakeZed>();
  readonly #others = new Set<Bystander>();
  #life: BridgeLife | null = null;
  #databaseUrl = "";
  #tests = 0;

  constructor(options: StageOptions = {}) {
    this.#options = options;
  }

  /** Opens a database and a bridge on it. */
  async open(): Promise<void> {
    this.#databaseUrl = await freshDatabase("zed-bridge", async (url) => void (await migrateBridge(url)));
    await this.startBridge();
  }

  get app(): App {
    return this.#present.app;
  }

  /** Where editors connect. */
  get address(): string {
    return this.#present.served.address;
  }

  get #present(): BridgeLife {
    if (this.#life === null) throw new Error("No bridge runs.");
    return this.#life;
  }

  /** Whether a bridge runs. */
  get hasBridge(): boolean {
    return this.#life !== null;
  }

  /** Begins a session whose editor is there and ready, unless told otherwise. */
  begin(options: DeskOptions = {}): Promise<Desk> {
    return Desk.begin(this, options);
  }

  /** The bridge goes on with another configuration; its links keep theirs. */
  changeApp(app: App): void {
    this.#life = { ...this.#present, app };
  }

  /** Lets a fake Zed count for what is going on. */
  watch(zed: FakeZed): void {
    this.#zeds.add(zed);
  }

  /** Lets something else count for what is going on. */
  watchAlso(other: Bystander): void {
    this.#others.add(other);
  }

  /** Resolves when nothing happens any more without time. */
  async settle(): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS;
    for (let quiet = 0, seen = -1; quiet < QUIET_ROUNDS;) {
      await delay(1);
      const stirs = this.#stirs();
      quiet = stirs === seen && !this.#isBusy() ? quiet + 1 : 0;
      seen = stirs;
      if (performance.now() > endMs) throw new Error("It does not come to rest.");
    }
  }

  /** Lets time pass, in steps, and everything that follows from it happen. */
  async pass(durationMs: number, { stepMs = durationMs }: { readonly stepMs?: number } = {}): Promise<void> {
    for (let leftMs = durationMs; leftMs > 0; leftMs -= stepMs) {
      this.world.pass(Math.min(stepMs, leftMs));
      await this.settle();
      if (this.#life === null) continue;
      await expireDeadlines(this.app, { runner: this.runner });
      await this.settle();
    }
  }

  /** Starts a bridge, or the next one. */
  async startBridge(port = 0): Promise<void> {
    const counted = await openCountedDatabase(this.#databaseUrl);
    const parts = { ...usual, ...this.#options.parts, database: counted.database, world: this.world };
    const opened = await openApp(this.#databaseUrl, parts);
    await forgetLinks(opened, { runner: this.runner });
    const served = await serveLinks(opened, { ...UNWATCHED, ...this.#options.limits, port });
    this.#life = { counted, app: opened, served };
  }

  /** Ends the bridge without warning: what it was doing is not done, and nobody is told. Gives its port. */
  async killBridge(): Promise<number> {
    const { counted, served } = this.#present;
    this.#life = null;
    counted.kill();
    await Promise.all(Array.from(this.#zeds, (zed) => zed.connection.drop()));
    await served.close();
    await counted.database.close();
    return Number(served.address.split(":")[1]);
  }

  /** The editors that are watched end. */
  async dismiss(): Promise<void> {
    await Promise.all(Array.from(this.#zeds, (zed) => zed.quit()));
    this.#zeds.clear();
    this.#others.clear();
  }

  /** The editors of the last test go, and the next one has the bridge for itself. */
  async next(): Promise<void> {
    await this.dismiss();
    this.runner = `bridge-${++this.#tests}`;
    if (this.#life === null) await this.startBridge();
    await this.settle();
  }

  async close(): Promise<void> {
    await this.next();
    await this.#present.served.close();
    await this.#present.counted.database.close();
  }

  #isBusy(): boolean {
    if (this.#life?.counted.isBusy() === true) return true;
    return [...this.#zeds].some((zed) => !zed.isIdle) || [...this.#others].some(({ isBusy }) => isBusy);
  }

  #stirs(): number {
    const ofZeds = Array.from(this.#zeds, ({ stirs }) => stirs);
    const ofOthers = Array.from(this.#others, ({ stirs }) => stirs);
    return [...ofZeds, ...ofOthers].reduce((sum, each) => sum + each, this.#life?.counted.stirs() ?? 0);
  }
}
