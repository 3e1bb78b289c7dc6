// The role that the service works as
//
// Whoever owns a table can switch its policies off, and a superuser is not subject to any. So the user of DATABASE_URL
// migrates and owns, and hands over to a role that may read and write rows, and nothing else: it cannot log in, owns
// nothing and may not bypass row-level security.
//
// Roles belong to the whole cluster, databases do not. So the role is named after the user: two installations with users
// of their own in one cluster do not share it. It is looked after at every start rather than by a migration, because a
// database may come from a backup without its roles, or change its user.

import type { Client } from "pg";
import { databaseErrorCode } from "./database-errors.ts";
import { DatabaseStartError } from "./database-start-error.ts";

/** The name of the role as an expression of SQL, for any session of the user. */
export const appRoleOfSession = "session_user || '_app'";

const INSUFFICIENT_PRIVILEGE = "42501";

/**
 * Sees to it that the role is there, that the user may become it, and that it has its rights on the tables of the
 * current schema. Writes nothing if all is well. Any number of databases of one cluster may do so at once.
 */
export async function provideAppRole(client: Client): Promise<void> {
  try {
    await client.query(provideRole);
    await client.query(grantRights);
  } catch (error) {
    if (databaseErrorCode(error) !== INSUFFICIENT_PRIVILEGE) throw error;
    throw await notAllowed(client, error);
  }
}

// Another database's start may do the same at this moment; whoever is second finds it done.
const provideRole = `
do $$
declare
  app text := ${appRoleOfSession};
  how text := case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end;
begin
  if octet_length(app) > 63 then
    raise exception 'the name of the user % is too long for the role % to be named after it', session_user, app;
  end if;
  if not exists (select from pg_roles where rolname = app) then
    begin
      execute format('create role %I nologin', app);
    exception when duplicate_object or unique_violation then null;
    end;
  end if;
  if exists (select from pg_roles where rolname = app and (rolsuper or rolbypassrls)) then
    raise exception 'the role % is a superuser or may bypass row-level security, and must not', app;
  end if;
  if not pg_has_role(session_user, app, how) then
    begin
      execute format('grant %I to %I', app, session_user);
    exception when unique_violation or internal_error then null;
    end;
  end if;
end $$`;

// The table of migrations is the owner's alone to write.
const grantRights = `
do $$
declare
  app text := ${appRoleOfSession};
  tab record;
begin
  if not has_schema_privilege(app, current_schema(), 'USAGE') then
    execute format('grant usage on schema %I to %I', current_schema(), app);
  end if;
  for tab in
    select c.oid::regclass as name, case when relname = 'mikro_orm_migrations' then 'select'
      else 'select, insert, update, delete' end as rights
    from pg_class c
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')
      and not (has_table_privilege(app, c.oid, 'SELECT') and (relname = 'mikro_orm_migrations'
        or has_table_privilege(app, c.oid, 'INSERT') and has_table_privilege(app, c.oid, 'UPDATE')
        and has_table_privilege(app, c.oid, 'DELETE')))
  loop
    execute format('grant %s on %s to %I', tab.rights, tab.name, app);
  end loop;
end $$`;

async function notAllowed(client: Client, cause: unknown): Promise<DatabaseStartError> {
  const { rows } = await client.query<{ app: string; me: string }>(
    `select quote_ident(${appRoleOfSession}) as app, quote_ident(session_user) as me`,
  );
  const { app = "", me = "" } = rows[0] ?? {};
  const message =
    `The service works as the database role ${app}, which ${me} may not make or become. ` +
    `A superuser can mend that: create role ${app} nologin; grant ${app} to ${me};`;
  return new DatabaseStartError(message, { cause });
}
