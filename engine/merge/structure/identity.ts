import type { Entry } from "./node.ts";

/** Keys that tell an element of a list from the others, the surest first. */
const NAMES = ["id", "_id", "uuid", "guid", "key", "name"];

/** Gives the elements of a list keys by the field of theirs that every one has, each with another value; else none. */
export function identify(entries: Entry[]): Entry[] {
  for (const name of NAMES) {
    const keys = entries.map(({ node }) => {
      const field = node.kind === "map" ? node.entries.find(({ key }) => key === name)?.node : undefined;
      return field?.kind === "leaf" ? `${name} ${field.id}` : undefined;
    });
    if (keys.includes(undefined) || new Set(keys).size < keys.length) continue;
    return entries.map((entry, index) => ({ ...entry, key: keys[index] }));
  }
  return entries;
}
