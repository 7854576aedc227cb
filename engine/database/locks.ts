import { EngineError } from "../errors.ts";
import type { ConnectionSpec } from "./types.ts";

interface Held {
  database: string;
  schema: string | undefined;
  table: string;
  owner: string;
}

/**
 * Keeps two runs from writing into one table. Tables are told apart by what the user wrote, before anything is connected, so it
 * errs on the side of refusal: `users`, `Users` and `public.users` are taken for the same.
 */
export class TableLocks {
  readonly #held = new Set<Held>();

  /**
   * Takes all tables at once or none.
   * @param owner names the holder in the error of whoever comes second
   * @throws EngineError `conflict`
   */
  acquire(owner: string, writes: { spec: ConnectionSpec; entities: string[] }[]): Disposable {
    const wanted = writes.flatMap(({ spec, entities }) => {
      const database = JSON.stringify([spec.engine, hostOf(spec), spec.port, spec.database]);
      return entities.map((entity): Held => ({ database, ...split(entity), owner }));
    });
    for (const want of wanted) {
      for (const held of this.#held) {
        if (!overlap(want, held)) continue;
        const details =
          `The table ${want.table} is being written by session ${held.owner}; try again when it has ended.`;
        throw new EngineError("conflict", "Another operation is using the table", details);
      }
    }
    for (const want of wanted) this.#held.add(want);
    return {
      [Symbol.dispose]: () => {
        for (const want of wanted) this.#held.delete(want);
      },
    };
  }
}

/** This machine under each of its usual names, sockets among them, is one host. */
function hostOf({ host = "" }: ConnectionSpec): string {
  return /^(localhost|127(\.\d+){3}|::1|\/.*)$/i.test(host) ? "" : host.toLowerCase();
}

/** A dot may belong to a name; then the name's end is taken for the table, which is the safe side. */
function split(entity: string): Pick<Held, "schema" | "table"> {
  const at = entity.lastIndexOf(".");
  const schema = at < 0 ? undefined : entity.slice(0, at).toLowerCase();
  return { schema, table: entity.slice(at + 1).toLowerCase() };
}

function overlap(a: Held, b: Held): boolean {
  if (a.database !== b.database || a.table !== b.table) return false;
  return a.schema === undefined || b.schema === undefined || a.schema === b.schema;
}
