/** How the elements of a list's versions belong together. */
import type { Laid } from "./layout.ts";
import type { Container } from "./node.ts";

/** Whether every element has a key of the same kind, and those that two sides share have the same order. */
export function areKeyed(base: Container | undefined, source: Container, target: Container): boolean {
  const lists = [base, source, target].map((container) => container?.entries.map(({ key }) => key) ?? []);
  const kinds = new Set(lists.flat().map((key) => key?.split(" ", 1)[0]));
  if (kinds.size > 1 || kinds.has(undefined)) return false;
  const [former, ours, theirs] = lists;
  return haveSameOrder(ours, theirs) && haveSameOrder(former, ours) && haveSameOrder(former, theirs);
}

function haveSameOrder(a: (string | undefined)[], b: (string | undefined)[]): boolean {
  const [inA, inB] = [new Set(a), new Set(b)];
  const shared = b.filter((key) => inA.has(key));
  return a.filter((key) => inB.has(key)).every((key, index) => key === shared[index]);
}

/** The elements as small numbers, equal where their values are. */
export function renumber(containers: Container[]): { sequences: Int32Array[]; size: number } {
  const numbers = new Map<number, number>();
  const sequences = containers.map((container) =>
    Int32Array.from(container.entries, ({ node }) => {
      if (!numbers.has(node.id)) numbers.set(node.id, numbers.size);
      return numbers.get(node.id)!;
    })
  );
  return { sequences, size: numbers.size };
}

/** Whether each side has as many elements there as the base, all with keys of their own, so that they go together one by one. */
export function areParallel([base, source, target]: Laid[][]): boolean {
  if (base.length === 0 || source.length !== base.length || target.length !== base.length) return false;
  return [base, source, target].flat().every(({ entry }) => entry.node.kind === "map");
}
