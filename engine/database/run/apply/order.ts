import type { Entity } from "../database_run.ts";
import type { Side } from "../decide.ts";
import type { ForeignKey, Table } from "../../types.ts";

/** A side's table of an entity; the source's description stands for a target that is not made yet. */
export function tableOf(entity: Entity, side: Side): Table {
  return side === "source" ? entity.source : entity.target ?? entity.source;
}

/**
 * Entities so that the tables which others refer to come first. Where tables refer to each other in a circle, the order within it
 * is that of the request.
 */
export function inParentOrder(entities: Entity[], side: Side): Entity[] {
  const byTable = new Map(entities.map((entity) => [tableOf(entity, side).id, entity]));
  const ordered: Entity[] = [];
  const seen = new Set<Entity>();
  const visit = (entity: Entity) => {
    if (seen.has(entity)) return;
    seen.add(entity);
    for (const { table } of tableOf(entity, side).foreignKeys) {
      const parent = byTable.get(table);
      if (parent !== undefined) visit(parent);
    }
    ordered.push(entity);
  };
  for (const entity of entities) visit(entity);
  return ordered;
}

/** Foreign keys of a table that the order of tables cannot satisfy: to itself, or to a table that comes later. */
export function backwardKeys(entity: Entity, ordered: Entity[], side: Side): ForeignKey[] {
  const later = new Set(ordered.slice(ordered.indexOf(entity)).map((other) => tableOf(other, side).id));
  return tableOf(entity, side).foreignKeys.filter(({ table }) => later.has(table));
}

/** Whether deleting rows of an entity's table may change or delete rows of one of the others. */
export function cascadesInto(entity: Entity, others: Iterable<Entity>, side: Side): boolean {
  const { id } = tableOf(entity, side);
  for (const other of others) {
    const keys = tableOf(other, side).foreignKeys;
    if (keys.some(({ table, onDelete }) => table === id && onDelete !== "no action" && onDelete !== "restrict")) {
      return true;
    }
  }
  return false;
}
