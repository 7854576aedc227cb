/** A file's chunks and holes in order, with the bytes that each stands for. Neighbouring holes become one. Plain data. */
export interface ContentList {
  items: (string | number)[];
  lengths: number[];
}

export function emptyList(): ContentList {
  return { items: [], lengths: [] };
}

export function addChunk(list: ContentList, id: string, length: number): void {
  list.items.push(id);
  list.lengths.push(length);
}

export function addHole(list: ContentList, length: number): void {
  const last = list.items.length - 1;
  if (last >= 0 && typeof list.items[last] === "number") {
    list.items[last] += length;
    list.lengths[last] += length;
  } else {
    list.items.push(length);
    list.lengths.push(length);
  }
}

/** Appends a later part of the same file. */
export function addList(list: ContentList, more: ContentList): void {
  for (let i = 0; i < more.items.length; i++) {
    const item = more.items[i];
    if (typeof item === "number") addHole(list, item);
    else addChunk(list, item, more.lengths[i]);
  }
}
