import type { Column, TableSide } from "../types.ts";
import { reference } from "./expressions.ts";
import { hashedField } from "./hashed_field.ts";

/**
 * The hash `record` of the rows of the table `t`, whose columns have the same types on both sides: the server's own hashes of the values,
 * each with another seed, put together and hashed once more. This takes half of what `hash_record_extended` over the columns would,
 * and that a tenth of a hash of their texts.
 *
 * The last hash is what binds values to their row: a sum of hashes that are sums themselves would not see that two rows swapped values.
 */
export function recordHashSql(side: TableSide): string {
  const key = onlyInteger(side);
  const terms: string[] = [];
  const others: string[] = [];
  for (const [at, column] of side.columns.entries()) {
    if (at === key) continue;
    const hash = valueHash(column, seed(2 * at));
    if (hash !== undefined) terms.push(`coalesce(${hash}, ${seed(2 * at + 1)})`);
    else others.push(hashedField(column, side.forms[at]));
  }
  if (others.length > 0) terms.push(`hash_record_extended(row(${others.join(", ")}), ${seed(0)})`);
  if (key !== undefined) terms.push(reference(side.columns[key]));
  // The second argument is one of which all 64 bits count.
  return `hashint8extended(0, ${terms.join(" # ")})`;
}

/** The position of the key where it is one whole number. */
function onlyInteger({ key, columns }: TableSide): number | undefined {
  return key.length === 1 && columns[key[0]].logical.kind === "integer" ? key[0] : undefined;
}

/** One of many constants of 62 bits that have nothing in common. */
function seed(number: number): bigint {
  return (BigInt(number + 1) * 0x9e3779b97f4a7c15n & (1n << 62n) - 1n) | 1n << 61n;
}

/** From here on, a timestamp's upper half has a sign of its own. */
const EPOCH = "'2000-01-01'";
/** 2^32 microseconds. */
const UPPER = "'4294.967296 seconds'";

/**
 * The hash of a value where there is a fast one; undefined where it is a field of a record. It tells apart what the canonical text does,
 * which the types' own hashes do not quite: those of 64-bit integers and of timestamps take both halves together, that of numerics
 * does not see the sign and is the seed itself for NaN, and that of doubles takes -0 for 0.
 */
function valueHash(column: Column, seed: bigint): string | undefined {
  const name = reference(column);
  const { logical } = column;
  switch (logical.kind) {
    case "integer":
      return logical.bits < 64 ? `hashint4extended(${name}, ${seed})` : `hashint8extended(0, ${name} # ${seed})`;
    case "decimal": {
      // Without a scale there are infinities as well, which have the hash of NaN.
      const special = logical.scale === null ? ` when ${name} = 'NaN' then 2` : "";
      const sign = `case when ${name} < 0 then 1${special} else 0 end`;
      return `hashint8extended(${sign}, hash_numeric_extended(${name}, ${seed}))`;
    }
    case "float": {
      const sign = `case when ${name} = 0 and ${name}::text = '-0' then 1 else 0 end`;
      return `hashfloat${logical.bits / 8}extended(${name}, ${seed} + ${sign})`;
    }
    case "boolean":
      return `case when ${name} then ${seed} when not ${name} then ${seed * 3n / 4n} end`;
    case "text": {
      if (column.collation?.deterministic === false) return `hashtextextended(${name}::text collate "C", ${seed})`;
      return `hash${logical.fixed ? "bpchar" : "text"}extended(${name}, ${seed})`;
    }
    case "uuid":
      return `uuid_hash_extended(${name}, ${seed})`;
    case "timestamp": {
      if (logical.zone) return undefined;
      const upper = `timestamp_hash_extended(date_bin(${UPPER}, ${name}, ${EPOCH}), ${seed})`;
      const other = `hash_record_extended(row(timestamp_send(${name})), ${seed})`;
      return `timestamp_hash_extended(${name}, case when ${name} >= ${EPOCH} then ${upper} else ${other} end)`;
    }
    default:
      return undefined;
  }
}
