import { sqlMigration, tenantCondition } from "@helix-zed/persistence";

/**
 * What PostgreSQL needs to choose well, and to do less.
 *
 * The policies say the same as before in words whose selectivity the planner does not underestimate: it took one row in a
 * hundred to be a tenant's own, expected pages to be short, and sorted all that a filter found instead of reading an index
 * in its order.
 *
 * A renewed lease changes no column of an index any more, so that its row is updated in place.
 */
export const plans = sqlMigration(
  "0006-plans",
  `
alter policy tenant on tasks using (${tenantCondition});
alter policy tenant on sessions using (${tenantCondition});
alter policy tenant on work_sessions using (${tenantCondition});
alter policy tenant on request_ledger using (${tenantCondition});
alter policy tenant on change_log using (${tenantCondition});

create index work_sessions_held on work_sessions (id) where runner is not null;
drop index work_sessions_lease;
alter table work_sessions set (fillfactor = 85);
`,
);
