import { type NamedMigration, sqlMigration } from "@helix-zed/persistence";

/** Tokens with which agents call the bridge, and what they report about their sessions. */
export const agentsAsUsers: NamedMigration = sqlMigration(
  "0004-agents-as-users",
  `
create table agent_tokens (
  hash text not null,
  instance_id text not null,
  mapping_id text,
  launch integer not null,
  epoch integer not null,
  created_at timestamptz not null,
  constraint agent_tokens_pkey primary key (hash),
  constraint agent_tokens_instance_id_fkey foreign key (instance_id) references zed_instances (id) on delete cascade,
  constraint agent_tokens_mapping_id_fkey
    foreign key (mapping_id) references zed_thread_mappings (id) on delete cascade
);
create index agent_tokens_instance_id_mapping_id_idx on agent_tokens (instance_id, mapping_id);
create index agent_tokens_mapping_id_idx on agent_tokens (mapping_id);

create table agent_reports (
  mapping_id text not null,
  outcome text not null,
  summary text not null,
  reported_at timestamptz not null,
  constraint agent_reports_pkey primary key (mapping_id),
  constraint agent_reports_mapping_id_fkey
    foreign key (mapping_id) references zed_thread_mappings (id) on delete cascade,
  constraint agent_reports_outcome_check check (outcome in ('completed', 'failed'))
);
`,
);
