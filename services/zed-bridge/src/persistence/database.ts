import { closeDatabase, Doorbell, openDatabase, refuseBrokenSchema, transact } from "@helix-zed/persistence";
import type { EntityManager, MikroORM } from "@mikro-orm/postgresql";
import { PermissionRequest } from "../domain/permission-request.ts";
import { ThreadEntry } from "../domain/thread-entry.ts";
import { ThreadMapping } from "../domain/thread-mapping.ts";
import { Turn } from "../domain/turn.ts";
import { ZedInstance } from "../domain/zed-instance.ts";
import { migrationNames } from "./migrate.ts";
import { Notifier } from "./notifier.ts";
import { Unit } from "./unit.ts";

/** How to reach the bridge's database. */
export interface OpenBridgeDatabase {
  readonly url: string;
  readonly connectionsMax?: number;
  readonly warn?: (message: string) => void;
}

/** The only door to the bridge's database. */
export class Database {
  /** Rings after each commit, here and (through {@link Notifier.channel}) in other bridges: see {@link Unit.topics}. */
  readonly doorbell = new Doorbell();
  readonly #orm: MikroORM;
  readonly #notifier: Notifier;

  constructor(orm: MikroORM) {
    this.#orm = orm;
    this.#notifier = new Notifier(orm);
  }

  /** Connects and proves it. */
  static async open({ url, connectionsMax, warn }: OpenBridgeDatabase): Promise<Database> {
    const orm = await openDatabase({
      url,
      applicationName: "zed-bridge",
      entities: [ZedInstance, ThreadMapping, Turn, ThreadEntry, PermissionRequest],
      ...(connectionsMax === undefined ? {} : { connectionsMax }),
      ...(warn === undefined ? {} : { warn }),
    });
    return new Database(orm);
  }

  /** Runs `work` in one transaction, again if PostgreSQL asks for it. `work` must touch nothing but the unit. */
  async transact<T>(work: (unit: Unit) => Promise<T>): Promise<T> {
    const { result, topics } = await transact(this.#orm, async (em) => {
      const unit = new Unit(em);
      const value = await work(unit);
      await unit.log.append();
      return { result: value, topics: unit.topics };
    });
    for (const topic of topics) this.doorbell.ring(topic);
    this.#notifier.notify(topics);
    return result;
  }

  /** Reads in one consistent state of the database. */
  snapshot<T>(read: (em: EntityManager) => Promise<T>): Promise<T> {
    return transact(this.#orm, read, { mode: "snapshot" });
  }

  /** Rejects if the database does not answer, or if a newer version of the service has broken its schema for this one. */
  async check(): Promise<void> {
    const em = this.#orm.em.fork();
    await refuseBrokenSchema((statement) => em.execute(statement), migrationNames);
  }

  /** Lets go of all connections. */
  async close(): Promise<void> {
    await this.#notifier.close();
    await closeDatabase(this.#orm);
  }
}
