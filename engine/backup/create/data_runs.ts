import { type Descriptor, seek, SEEK_DATA, SEEK_HOLE } from "../../posix/mod.ts";

/** The runs of data between a file's holes, within a range; all of it where the file has none. */
export function* dataRuns(
  file: Descriptor,
  start: number,
  end: number,
  sparse: boolean,
): Generator<[start: number, end: number]> {
  if (!sparse) {
    if (start < end) yield [start, end];
    return;
  }
  for (let at = start; at < end;) {
    const data = seek(file, at, SEEK_DATA);
    if (data < 0 || data >= end) return;
    const hole = seek(file, data, SEEK_HOLE);
    const stop = hole < 0 ? end : Math.min(hole, end);
    yield [Math.max(data, at), stop];
    at = stop;
  }
}
