/** The database synchronisation, as the rest of the program sees it. */
export { DiffStore } from "./diff_store.ts";
export { TableLocks } from "./locks.ts";
export type * from "./request.ts";
export type { DatabaseServices } from "./services.ts";
export { diffDatabase, syncDatabase } from "./sync.ts";
