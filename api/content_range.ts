/** Which part of a file a request wants (RFC 9110, sections 13 and 14). */

export interface ConditionalHeaders {
  range: string | undefined;
  ifRange: string | undefined;
  ifNoneMatch: string | undefined;
}

export type Selection =
  | { status: 200 }
  | { status: 206; offset: number; length: number }
  | { status: 304 }
  /** The range begins after the file's end. */
  | { status: 416 };

/** @param etag strong, with its quotes */
export function selectContent(headers: ConditionalHeaders, etag: string, size: number): Selection {
  if (headers.ifNoneMatch !== undefined && matches(headers.ifNoneMatch, etag)) return { status: 304 };
  if (headers.range === undefined) return { status: 200 };
  // A date or another tag: what the client has is not known to be a part of this.
  if (headers.ifRange !== undefined && headers.ifRange.trim() !== etag) return { status: 200 };
  return selectRange(headers.range, size);
}

function matches(list: string, etag: string): boolean {
  return list.split(",").some((tag) => {
    const given = tag.trim();
    return given === "*" || given.replace(/^W\//, "") === etag;
  });
}

/** One range of bytes; several at once, another unit or another syntax count as none, as the standard allows. */
function selectRange(header: string, size: number): Selection {
  const match = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header);
  if (match === null || (match[1] === "" && match[2] === "")) return { status: 200 };
  const [first, last] = [Number(match[1]), Number(match[2])];
  if (match[1] === "") {
    const length = Math.min(last, size);
    return length === 0 ? { status: 416 } : { status: 206, offset: size - length, length };
  }
  if (match[2] !== "" && last < first) return { status: 200 };
  if (first >= size) return { status: 416 };
  const end = match[2] === "" ? size : Math.min(last + 1, size);
  return { status: 206, offset: first, length: end - first };
}
