export { databaseErrorCode, isConflict, isUnavailable, violatedConstraint } from "./database-errors.ts";
export { Doorbell, type Ear } from "./doorbell.ts";
export { type Batch, type Followed, followLog, type FollowOptions } from "./follow-log.ts";
export { migrate, type MigrateOptions, type NamedMigration, sqlMigration } from "./migrate.ts";
export { listenTo, type ListenOptions } from "./listen-to.ts";
export { type DatabaseOptions, DatabaseStartError, openDatabase } from "./open-database.ts";
export type { PersistenceReason } from "./persistence-reason.ts";
export { TokenCodec, type TokenOptions } from "./token-codec.ts";
export { refuseIfUnavailable, transact, type TransactOptions } from "./transact.ts";
