import { Refusal } from "@helix-zed/domain";
import { IsolationLevel } from "@mikro-orm/core";
import type { EntityManager, MikroORM } from "@mikro-orm/postgresql";
import { isConflict, isStalePlan, isUnavailable } from "./database-errors.ts";
import type { PersistenceReason } from "./persistence-reason.ts";
import { poolOf } from "./statements.ts";
import { Transaction } from "./transaction.ts";

/** How a transaction runs. */
export interface TransactOptions {
  /** `snapshot`: read-only, and every statement sees the same state of the database. */
  readonly mode?: "write" | "snapshot";
}

const ATTEMPTS_MAX = 5;
const RETRY_AFTER_MS = 1_000;

/**
 * Runs `work` in one transaction on a unit of work of its own, and all of it again if PostgreSQL gave it up in favour of
 * another transaction. So `work` must touch nothing but the database, and may run more than once.
 * Refuses with TRANSACTION_CONFLICT when it lost five times, with DATABASE_UNAVAILABLE when there is no database; in the
 * second case the commit may nevertheless have happened.
 */
export async function transact<T>(
  orm: MikroORM,
  work: (em: EntityManager) => Promise<T>,
  { mode = "write" }: TransactOptions = {},
): Promise<T> {
  const settings = mode === "snapshot" ? { isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true } : {};
  return untilSettled(() => orm.em.fork().transactional((em) => work(em), settings));
}

/** The same for work that sends its statements itself, in as few round trips as it can. */
export async function transactDirectly<T>(orm: MikroORM, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  const pool = await poolOf(orm);
  return untilSettled(async () => {
    const transaction = new Transaction(pool);
    try {
      const value = await work(transaction);
      await transaction.commit();
      return value;
    } catch (error) {
      await transaction.rollBack();
      throw error;
    }
  });
}

async function untilSettled<T>(attemptOnce: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptOnce();
    } catch (error) {
      if (isUnavailable(error)) throw databaseUnavailable(error);
      if (!isConflict(error) && !isStalePlan(error)) throw error;
      if (attempt === ATTEMPTS_MAX) throw transactionConflict();
    }
  }
}

/** Says of any error that comes from an unreachable database that it is that; gives others back as they are. */
export function refuseIfUnavailable(error: unknown): unknown {
  return isUnavailable(error) ? databaseUnavailable(error) : error;
}

function databaseUnavailable(cause: unknown): Refusal<PersistenceReason> {
  const message = "The database cannot be reached at the moment.";
  const refusal = new Refusal<PersistenceReason>("DATABASE_UNAVAILABLE", message, {}, { retryAfterMs: RETRY_AFTER_MS });
  refusal.cause = cause;
  return refusal;
}

function transactionConflict(): Refusal<PersistenceReason> {
  const message = "Others changed the same things at the same time. Try again.";
  return new Refusal<PersistenceReason>("TRANSACTION_CONFLICT", message, {}, { retryAfterMs: RETRY_AFTER_MS });
}
