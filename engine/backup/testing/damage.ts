/** For tests: ways in which a store's objects get damaged. */

export type Objects = Map<string, Uint8Array<ArrayBuffer>>;

export interface Damage {
  /** `object: what was done`. */
  name: string;
  /** Keys of which a check must name one; none where it can only see what is needed and not there. */
  keys: string[];
  /** What the store then holds. */
  objects: Objects;
}

const ZEROS = "0".repeat(64);

/** Every way in which each object of a store can be damaged by itself. */
export function* everyDamage(objects: Objects): Generator<Damage> {
  for (const [key, bytes] of objects) {
    for (const [what, changed] of changesOf(bytes)) {
      yield { name: `${key}: ${what}`, keys: [key], objects: put(objects, key, changed) };
    }
    const other = partner(objects, key);
    const swapped = put(put(objects, key, objects.get(other)), other, bytes);
    yield { name: `${key}: swapped with ${other}`, keys: [key], objects: swapped };
    // Nothing tells that a version was there: whoever may delete may hide it. A catalog is only a repetition.
    if (/^(versions|catalogs)\//.test(key)) continue;
    const removed = put(objects, key, undefined);
    yield { name: `${key}: removed`, keys: key.startsWith("index/") ? [] : [key], objects: removed };
  }
  for (const [key, bytes] of objects) {
    const elsewhere = otherName(key);
    if (elsewhere === undefined) continue;
    yield { name: `${key}: copied to another name`, keys: [elsewhere], objects: put(objects, elsewhere, bytes) };
    const renamed = put(put(objects, key, undefined), elsewhere, bytes);
    yield { name: `${key}: renamed`, keys: [elsewhere], objects: renamed };
  }
}

function* changesOf(bytes: Uint8Array<ArrayBuffer>): Generator<[string, Uint8Array<ArrayBuffer>]> {
  const places = new Set([
    0,
    8,
    9,
    20,
    60,
    bytes.length >> 2,
    bytes.length >> 1,
    bytes.length - 40,
    bytes.length - 10,
    bytes.length - 1,
  ]);
  for (const at of places) {
    if (at < 0 || at >= bytes.length) continue;
    const changed = bytes.slice();
    changed[at] ^= 0x10;
    yield [`a bit of byte ${at} of ${bytes.length}`, changed];
  }
  yield ["cut by a byte", bytes.slice(0, -1)];
  yield ["cut in half", bytes.slice(0, bytes.length >> 1)];
  yield ["emptied", new Uint8Array()];
  const longer = new Uint8Array(bytes.length + 1);
  longer.set(bytes);
  yield ["a byte longer", longer];
  yield ["all zeros", new Uint8Array(bytes.length)];
}

function put(objects: Objects, key: string, bytes: Uint8Array<ArrayBuffer> | undefined): Objects {
  const changed = new Map(objects);
  if (bytes === undefined) changed.delete(key);
  else changed.set(key, bytes);
  return changed;
}

/** Another object, of the same kind where there is one. */
function partner(objects: Objects, key: string): string {
  const kind = key.split("/")[0];
  const others = [...objects.keys()].filter((other) => other !== key);
  return others.find((other) => other.split("/")[0] === kind) ?? others[0];
}

/** A name that an object of its kind could have; undefined where objects have no name of their own. */
function otherName(key: string): string | undefined {
  const [kind] = key.split("/");
  if (kind === "packs") return `packs/00/${ZEROS}`;
  if (kind === "index" || kind === "catalogs") return `${kind}/${ZEROS}`;
  if (kind === "versions") return "versions/00000000-0000-4000-8000-000000000000";
  return undefined;
}
