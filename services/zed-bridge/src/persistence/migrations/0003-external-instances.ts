import { type NamedMigration, sqlMigration } from "@helix-zed/persistence";

/** Instances that somebody else starts: what they present, whether their token was revoked; and those of deleted tasks. */
export const externalInstances: NamedMigration = sqlMigration(
  "0003-external-instances",
  `
alter table zed_instances
  add column presented_id text,
  add column token_revoked boolean not null default false,
  add column deleted_at timestamptz,
  add constraint zed_instances_presented_id_key unique (presented_id);
`,
);
