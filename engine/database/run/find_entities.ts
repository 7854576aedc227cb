import { EngineError } from "../../errors.ts";
import type { Connection } from "../dialect.ts";
import { DatabaseError } from "../error.ts";
import type { ConnectionSpec, Table } from "../types.ts";
import type { DatabaseRun, Entity } from "./database_run.ts";
import type { Side } from "./decide.ts";
import { failure } from "./failure.ts";
import { pairTables, type TablePair } from "./pairing.ts";

/**
 * Finds every entity on both sides and pairs their columns.
 *
 * @throws EngineError `not-found` where one is not there, `invalid` with everything that keeps tables from being pairs
 */
export async function findEntities(run: DatabaseRun): Promise<Entity[]> {
  const { request, connections } = run;
  const entities: Entity[] = [];
  const problems: string[] = [];
  for (const [index, name] of request.entityNames.entries()) {
    const source = await find("source", connections.source, name);
    if (source === undefined) throw missing("source", name);
    const target = await find("target", connections.target, name);
    const creation = target === undefined && request.createMissingTables
      ? connections.target.creation(source)
      : undefined;
    if (target === undefined && creation === undefined) throw missing("target", name);
    const entity: Entity = {
      name,
      index,
      source,
      target,
      pair: undefined,
      creation,
      result: emptyResult(name, target ?? source),
    };
    entity.result.notes.push(...creation?.notes ?? []);
    if (target !== undefined) pairEntity(run, entity, target, problems);
    // Until it is made, it is what the source's table is.
    else entity.planned = pairWith(run, entity, { ...source, kind: "table" }, problems);
    entities.push(entity);
  }
  refuseRepeated(entities, problems, isSameDatabase(request.source, request.target));
  if (problems.length > 0) throw notAPair(problems);
  return entities;
}

/** Pairs an entity's columns with those of its target. */
export function pairEntity(run: DatabaseRun, entity: Entity, target: Table, problems: string[]): void {
  entity.target = target;
  entity.result.target = target.id;
  entity.pair = pairWith(run, entity, target, problems);
  entity.result.notes.push(...entity.pair?.notes ?? []);
}

function pairWith({ request }: DatabaseRun, entity: Entity, target: Table, problems: string[]): TablePair | undefined {
  const { name, source } = entity;
  const pair = pairTables(source, target, {
    entity: name,
    columns: request.columns[name],
    filter: request.filters[name],
    twoWay: request.direction === "two-way",
  }, problems);
  const { conflictColumn: column, conflictStrategy: strategy } = request;
  if (strategy === "LastWriteWins" && pair !== undefined) {
    if (column === undefined || conflictColumnOf(pair, column) < 0) {
      problems.push(`${name}: conflictColumn "${column ?? ""}" is not among the columns that are carried`);
    }
  }
  return pair;
}

/** Position of the column that says when a row was written; −1: there is none. */
export function conflictColumnOf({ source }: NonNullable<Entity["pair"]>, name: string): number {
  const exact = source.columns.findIndex((column) => column.name === name);
  if (exact >= 0) return exact;
  return source.columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase());
}

export function notAPair(problems: string[]): EngineError {
  return new EngineError("invalid", "The tables cannot be synchronised", problems.join("; "));
}

/** An engine without schemas has a table of another's schema under its bare name. */
async function find(side: Side, connection: Connection, name: string): Promise<Table | undefined> {
  const names = [name];
  if (connection.server.engine !== "postgres" && name.includes(".")) names.push(name.slice(name.lastIndexOf(".") + 1));
  for (const each of names) {
    try {
      return await connection.find(each);
    } catch (error) {
      if (!(error instanceof DatabaseError && error.kind === "missing")) throw failure(error, side);
    }
  }
  return undefined;
}

function missing(side: Side, name: string): EngineError {
  const hint = side === "target" ? "; set createMissingTables to have it made" : "";
  return new EngineError(
    "not-found",
    "An entity is not there",
    `entityNames: the ${side} has no table "${name}"${hint}`,
  );
}

function isSameDatabase(a: ConnectionSpec, b: ConnectionSpec): boolean {
  return a.engine === b.engine && a.host === b.host && a.port === b.port && a.database === b.database;
}

function refuseRepeated(entities: Entity[], problems: string[], sameDatabase: boolean): void {
  const seen = new Map<string, string>();
  for (const { name, source, target } of entities) {
    if (target === undefined) continue;
    const other = seen.get(target.id);
    if (other !== undefined) problems.push(`${other} and ${name} are the same table of the target, ${target.id}`);
    seen.set(target.id, name);
    if (sameDatabase && source.id === target.id) problems.push(`${name}: source and target are the same table`);
  }
}

function emptyResult(entity: string, table: Table): Entity["result"] {
  return {
    entity,
    target: table.id,
    method: "",
    sourceRows: 0,
    targetRows: 0,
    segments: 0,
    differingSegments: 0,
    inserted: 0,
    updated: 0,
    deleted: 0,
    overwritten: 0,
    conflicts: 0,
    created: false,
    notes: [],
  };
}
