export { openDatabase, type Database, type DatabaseOptions, type Sql, type Tx } from './database.ts';
export { isUniqueViolation } from './sql-errors.ts';
export { migrate, readMigrations, type Migration } from './migrate.ts';
export { startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded.ts';
export { databaseName, roles } from './embedded-roles.ts';
