import { Database } from "../../../services/zed-bridge/src/persistence/database.ts";

/** A bridge's database that tells whether anything is under way in it, and that its bridge can be killed away from. */
export interface CountedDatabase {
  readonly database: Database;
  /** How many transactions have begun and ended. */
  readonly stirs: () => number;
  readonly isBusy: () => boolean;
  /** From now on nothing is read or written; what is under way is rolled back unless it is being committed. */
  readonly kill: () => void;
}

class Killed extends Error {}

/** Opens it. */
export async function openCountedDatabase(url: string): Promise<CountedDatabase> {
  const database = await Database.open({ url, connectionsMax: 8 });
  let begun = 0;
  let ended = 0;
  let isKilled = false;
  const alive = (): void => {
    if (isKilled) throw new Killed("The bridge was killed.");
  };
  const counted =
    <Given>(run: <T>(work: (given: Given) => Promise<T>) => Promise<T>) =>
    async <T>(work: (given: Given) => Promise<T>): Promise<T> => {
      alive();
      begun++;
      try {
        const result = await run(async (given) => {
          const value = await work(given);
          alive();
          return value;
        });
        alive();
        return result;
      } finally {
        ended++;
      }
    };
  Object.assign(database, {
    transact: counted(database.transact.bind(database)),
    snapshot: counted(database.snapshot.bind(database)),
  });
  return {
    database,
    stirs: () => begun + ended,
    isBusy: () => begun !== ended,
    kill: () => (isKilled = true),
  };
}
