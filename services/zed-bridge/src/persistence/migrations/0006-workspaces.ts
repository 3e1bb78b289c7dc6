import { type NamedMigration, sqlMigration } from "@helix-zed/persistence";

/** Sessions that work in a copy of their own, and which of those copies are to be let go. */
export const workspaces: NamedMigration = sqlMigration(
  "0006-workspaces",
  `
alter table zed_thread_mappings add column workspace jsonb;
create index zed_thread_mappings_workspace_idx on zed_thread_mappings (ended_at)
  where workspace ->> 'status' = 'ready' and ended_at is not null;
`,
);
