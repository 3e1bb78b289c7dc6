import { sqlMigration } from "@helix-zed/persistence";

/**
 * An index for each field that tasks can be sorted by, so that a page is a range of one however many tasks a tenant has.
 * Work sessions need none: a list of theirs is of one task, which has few.
 */
export const orders = sqlMigration(
  "0007-orders",
  `
create index tasks_tenant_name on tasks (tenant, name, id);
create index tasks_tenant_user on tasks (tenant, user_id, id);
create index tasks_tenant_app on tasks (tenant, app_id, id);
create index tasks_tenant_type on tasks (tenant, task_type, id);
`,
);
