import { ensureDatabase, startPostgres, type RunningPostgres } from "@helix-zed/embedded-postgres";
import { rmSync } from "node:fs";
import path from "node:path";
import type { Migrate } from "./fresh-database.ts";
import { makeScratchFolder } from "./scratch-folder.ts";

/** A PostgreSQL of one test's own, with one migrated database, that the test may stop and start again. To be removed. */
export class OwnPostgres {
  readonly url: string;
  readonly #folder: string;
  readonly #port: number;
  #postgres: RunningPostgres;

  private constructor(folder: string, postgres: RunningPostgres, url: string) {
    this.#folder = folder;
    this.#postgres = postgres;
    this.#port = Number(new URL(url).port);
    this.url = url;
  }

  static async start(migrate: Migrate): Promise<OwnPostgres> {
    const folder = makeScratchFolder();
    const postgres = await startPostgres({ directory: path.join(folder, "postgres"), ephemeral: true });
    const url = await ensureDatabase(postgres.url, "own");
    await migrate(url);
    return new OwnPostgres(folder, postgres, url);
  }

  /** Cuts all connections, and is back at the same port. */
  async restart(): Promise<void> {
    await this.#postgres.stop();
    const directory = path.join(this.#folder, "postgres");
    this.#postgres = await startPostgres({ directory, port: this.#port, ephemeral: true });
  }

  async remove(): Promise<void> {
    await this.#postgres.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
