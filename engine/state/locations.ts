import type { DatabaseSync, StatementSync } from "node:sqlite";
import { EngineError } from "../errors.ts";
import type { Location, LocationStore } from "./types.ts";
import type { Writer } from "./writer.ts";

const MAX_LOCATIONS = 1_000;

const ADD = `INSERT INTO locations (name, directory, connection_string, entity_names, created_at)
  SELECT ?1, ?2, ?3, ?4, ?5 WHERE (SELECT count(*) FROM locations) < ${MAX_LOCATIONS} ON CONFLICT DO NOTHING`;
const REMOVE = "DELETE FROM locations WHERE name = ?";
const SELECT = `SELECT name, directory, connection_string AS connectionString, entity_names AS entityNames,
  created_at AS createdAt FROM locations`;

type Row = Omit<Location, "entityNames" | "createdAt"> & { entityNames: string; createdAt: number };

export class SqliteLocationStore implements LocationStore {
  readonly #writer: Writer;
  readonly #list: StatementSync;
  readonly #find: StatementSync;

  constructor(reader: DatabaseSync, writer: Writer) {
    this.#writer = writer;
    this.#list = reader.prepare(`${SELECT} ORDER BY name`);
    this.#find = reader.prepare(`${SELECT} WHERE name = ?`);
  }

  list(): Location[] {
    return (this.#list.all() as unknown as Row[]).map(toLocation);
  }

  find(name: string): Location | undefined {
    const row = this.#find.get(name) as unknown as Row | undefined;
    return row && toLocation(row);
  }

  async add({ name, directory, connectionString, entityNames, createdAt }: Location): Promise<void> {
    const parameters = [name, directory, connectionString, JSON.stringify(entityNames), Date.parse(createdAt)];
    const [added] = await this.#writer.write([{ sql: ADD, parameters }]);
    if (added === 1) return;
    const details = this.find(name) === undefined
      ? `There may be ${MAX_LOCATIONS}: delete one that is not needed`
      : `There is a location called ${JSON.stringify(name)} already: delete it first`;
    throw new EngineError("conflict", "The location cannot be registered", details);
  }

  async remove(name: string): Promise<boolean> {
    const [removed] = await this.#writer.write([{ sql: REMOVE, parameters: [name] }]);
    return removed === 1;
  }
}

function toLocation(row: Row): Location {
  return { ...row, entityNames: JSON.parse(row.entityNames), createdAt: new Date(row.createdAt).toISOString() };
}
