import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { ensureDatabase, type RunningPostgres, startPostgres, withDatabase } from "@helix-zed/embedded-postgres";
import { freePort } from "./free-port.ts";
import type { Migrate } from "./fresh-database.ts";
import { mustBeGoneAfterFile } from "./leaks.ts";
import { makeScratchFolder } from "./scratch-folder.ts";

const DATABASE = "own";

/** A PostgreSQL of a test's own, durable, that goes down without a goodbye and comes back at the same port. */
export class OwnPostgres {
  readonly #folder: string;
  readonly #port: number;
  #running: RunningPostgres;

  private constructor(folder: string, port: number, running: RunningPostgres) {
    this.#folder = folder;
    this.#port = port;
    this.#running = running;
  }

  /** Starts it with one database, which is empty unless it is migrated. */
  static async start(migrate: Migrate = async () => {}): Promise<OwnPostgres> {
    const folder = makeScratchFolder();
    const port = await freePort();
    const postgres = new OwnPostgres(folder, port, await startPostgres({ directory: folder, port }));
    mustBeGoneAfterFile({
      remains: async () => (postgres.#running.isAlive() ? "a PostgreSQL of the test's own" : undefined),
      discard: () => postgres.stop(),
    });
    await migrate(await ensureDatabase(postgres.#running.url, DATABASE));
    return postgres;
  }

  /** The URL of the database. */
  get url(): string {
    return withDatabase(this.#running.url, DATABASE);
  }

  /** Shuts it down at once: every connection is cut, nothing is written any more, the next start replays the log. */
  async down(): Promise<void> {
    const [pid = ""] = readFileSync(path.join(this.#running.dataFolder, "postmaster.pid"), "utf8").split("\n");
    process.kill(Number(pid), "SIGQUIT");
    await this.#running.exited;
    await this.#running.stop();
  }

  /** Starts it again, at the same port. */
  async up(): Promise<void> {
    this.#running = await startPostgres({ directory: this.#folder, port: this.#port });
  }

  /** Down and up again. */
  async restart(): Promise<void> {
    await this.down();
    await this.up();
  }

  /** Stops and removes it. */
  async stop(): Promise<void> {
    await this.#running.stop();
    rmSync(this.#folder, { recursive: true, force: true });
    rmSync(this.#running.dataFolder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
