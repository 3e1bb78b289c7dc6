import type { Transaction } from "@helix-zed/persistence";
import type { EntityManager } from "@mikro-orm/postgresql";
import type { ChangeRecorder } from "./change-log.ts";

/** What the repositories of one transaction share. */
export interface WriteSide {
  readonly transaction: Transaction;
  /** Keeps the entities of the transaction and knows what has become of them; it is never flushed, see write-changes.ts. */
  readonly em: EntityManager;
  readonly recorder: ChangeRecorder;
}
