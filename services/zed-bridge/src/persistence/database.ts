import { Doorbell, openDatabase, transact } from "@helix-zed/persistence";
import type { EntityManager, MikroORM } from "@mikro-orm/postgresql";
import { ThreadEntry } from "../domain/thread-entry.ts";
import { ThreadMapping } from "../domain/thread-mapping.ts";
import { Turn } from "../domain/turn.ts";
import { ZedInstance } from "../domain/zed-instance.ts";

/** How to reach the bridge's database. */
export interface OpenBridgeDatabase {
  readonly url: string;
  readonly connectionsMax?: number;
  readonly warn?: (message: string) => void;
}

/** The only door to the bridge's database. */
export class Database {
  readonly #orm: MikroORM;
  /** Rings after each commit: `instance:ID`, `thread:ID`, `instances`, `reports`. */
  readonly doorbell = new Doorbell();

  constructor(orm: MikroORM) {
    this.#orm = orm;
  }

  /** Connects and proves it. */
  static async open({ url, connectionsMax, warn }: OpenBridgeDatabase): Promise<Database> {
    const orm = await openDatabase({
      url,
      applicationName: "zed-bridge",
      entities: [ZedInstance, ThreadMapping, Turn, ThreadEntry],
      ...(connectionsMax === undefined ? {} : { connectionsMax }),
      ...(warn === undefined ? {} : { warn }),
    });
    return new Database(orm);
  }

  transact<T>(work: (em: EntityManager) => Promise<T>): Promise<T> {
    return transact(this.#orm, work);
  }

  /** Lets go of all connections. */
  async close(): Promise<void> {
    await this.#orm.close(true);
  }
}
