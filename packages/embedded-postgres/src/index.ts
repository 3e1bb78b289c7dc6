export { ensureDatabase, withDatabase } from "./ensure-database.ts";
export { isProcessAlive, processIdentity } from "./is-process-alive.ts";
export { startPostgres, type PostgresOptions, type RunningPostgres } from "./start-postgres.ts";
