/** The database synchronisation, as the rest of the program sees it. */
export { describeConnection, parseConnectionString } from "./connection_string.ts";
export { DiffStore } from "./diff_store.ts";
export { TableLocks } from "./locks.ts";
export { type DatabaseOperations, databaseOperations } from "./operations.ts";
export type * from "./request.ts";
export type { DatabaseServices } from "./services.ts";
export type { ConnectionSpec } from "./types.ts";
