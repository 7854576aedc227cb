import { randomBytes } from "node:crypto";
import type { Column, Form, Row, TableSide, Value } from "../../types.ts";

/**
 * For a row whose unique values another row is to take: the row with values in their place that nobody has, and the positions of
 * those. Undefined where none of its unique values changes, or there is no such value.
 */
export function vacated(side: TableSide, row: Row, changed: number[]): { row: Row; changed: number[] } | undefined {
  const result = [...row];
  const positions = new Set<number>();
  const { key, unique } = side.table;
  for (const columns of [key, ...unique]) {
    const places = columns.map((name) => side.columns.findIndex((column) => column.name === name));
    const moving = places.filter((i) => changed.includes(i));
    if (moving.length === 0) continue;
    const at = moving.find((i) => side.columns[i].nullable) ?? moving[0];
    const value = placeholder(side.columns[at], side.forms[at]);
    if (value === undefined) return undefined;
    result[at] = value;
    positions.add(at);
  }
  return positions.size === 0 ? undefined : { row: result, changed: [...positions] };
}

function placeholder({ nullable, logical, storage }: Column, form: Form): Value | undefined {
  if (nullable) return null;
  const random = randomBytes(16);
  switch (form) {
    case "integer": {
      const bits = logical.kind === "integer" ? logical.bits : 64;
      const unsigned = logical.kind === "integer" && logical.unsigned;
      const some = random.readBigUInt64BE() % (1n << BigInt(bits - 2));
      return String(unsigned ? (1n << BigInt(bits)) - 1n - some : -(1n << BigInt(bits - 1)) + some);
    }
    case "text": {
      const length = logical.kind === "text" ? logical.length ?? 32 : 32;
      return length < 8 ? undefined : random.toString("hex").slice(0, length);
    }
    case "bytes":
      return logical.kind === "bytes" && logical.length !== null && logical.length < 16
        ? undefined
        : random.toString("hex");
    case "uuid":
      return crypto.randomUUID();
    case "native":
      // Between SQLite files, a literal of what the column stores as it is given.
      if (storage === undefined) return undefined;
      return storage.affinity === "text" || storage.affinity === "blob"
        ? `'${random.toString("hex")}'`
        : String(-(2n ** 62n) + random.readBigUInt64BE() % 2n ** 61n);
    default:
      return undefined;
  }
}
