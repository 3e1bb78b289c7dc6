export { ensureDatabase, withDatabase } from "./ensure-database.ts";
export { startPostgres, type PostgresOptions, type RunningPostgres } from "./start-postgres.ts";
