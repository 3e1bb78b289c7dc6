// What does it cost a runner to keep 1,000 sessions?
//
//   raw         one update of the rows by their ids, sent by the driver: it checks neither runner nor epoch
//   use case    renewLeases in this process
//   one by one  the same, a call for each of 50 sessions
//
// An operation is the renewal of all of them, or of the 50.

import type { Actor } from "@helix-zed/domain";
import { renewLeases } from "../../services/task-service/src/application/renew-leases.ts";
import { withApp, withPool } from "./measuring/load-app.ts";
import { withLoadDatabase } from "./measuring/load-database.ts";
import { addHeldSessions, workSessionId } from "./measuring/many-sessions.ts";
import { say, sayFigures, sayMachine } from "./measuring/report.ts";
import { runRounds } from "./measuring/rounds.ts";
import { usualRounds } from "./measuring/size.ts";

const SESSIONS = 1_000;
const RUNNER = "bridge-1";
const UPDATE = "update work_sessions set lease_expires_at = clock_timestamp() + interval '30 s' where id = any($1)";
const bridge: Actor = { kind: "service", name: "bridge", roles: ["runner"] };

const ids = Array.from({ length: SESSIONS }, (_, number) => workSessionId(number));
const leases = ids.map((id) => ({ workSessionId: id, epoch: 1 }));

await withLoadDatabase((database) =>
  withPool(database.url, (pool) =>
    withApp(database.url, async (app) => {
      await addHeldSessions(pool, SESSIONS, RUNNER);
      const rounds = { ...usualRounds, workers: 1, warmUpSeconds: 1, databaseCpuUs: database.cpuUs };
      const figures = await runRounds(
        [
          { name: "raw", operation: () => pool.query(UPDATE, [ids]) },
          { name: "use case", operation: () => renewAll(leases) },
          {
            name: "50, one by one",
            operation: async () => {
              for (const lease of leases.slice(0, 50)) await renewAll([lease]);
            },
          },
        ],
        rounds,
      );
      sayMachine();
      say(`RenewLeases of ${SESSIONS} sessions, medians of ${rounds.rounds} rounds of ${rounds.seconds} s`);
      sayFigures(figures);
      const { rows } = await pool.query<{ share: number }>(
        "select n_tup_hot_upd::float / n_tup_upd as share from pg_stat_user_tables where relname = 'work_sessions'",
      );
      say(`updated in place: ${((rows[0]?.share ?? 0) * 100).toFixed(0)} %`);

      function renewAll(some: typeof leases): Promise<unknown> {
        return renewLeases(app, bridge, { runner: RUNNER, leases: some });
      }
    }),
  ),
);
