import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { ensureDatabase, type RunningPostgres, startPostgres, withDatabase } from "@helix-zed/embedded-postgres";
import { freePort } from "@helix-zed/harness/free-port.ts";
import { mustBeGoneAfterFile } from "@helix-zed/harness/leaks.ts";
import { makeScratchFolder } from "@helix-zed/harness/scratch-folder.ts";

const DATABASE = "restarted";

/** A PostgreSQL of the test's own, durable, that goes down without a goodbye and comes back at the same port. */
export class RestartablePostgres {
  readonly #folder: string;
  readonly #port: number;
  #running: RunningPostgres;

  private constructor(folder: string, port: number, running: RunningPostgres) {
    this.#folder = folder;
    this.#port = port;
    this.#running = running;
  }

  /** Starts it with one empty database. */
  static async start(): Promise<RestartablePostgres> {
    const folder = makeScratchFolder();
    const port = await freePort();
    const running = await startPostgres({ directory: folder, port });
    const postgres = new RestartablePostgres(folder, port, running);
    mustBeGoneAfterFile({
      remains: async () => (postgres.#running.isAlive() ? "a PostgreSQL of the test's own" : undefined),
      discard: () => postgres.stop(),
    });
    await ensureDatabase(running.url, DATABASE);
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

  async stop(): Promise<void> {
    await this.#running.stop();
    rmSync(this.#folder, { recursive: true, force: true });
    rmSync(this.#running.dataFolder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
