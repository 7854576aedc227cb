/** UTF-8's byte-order mark. */
export const BYTE_ORDER_MARK = Uint8Array.of(0xef, 0xbb, 0xbf);

/** Whether the merge of three versions has a byte-order mark: as the side has it that changed that, which both can do but one way. */
export function mergedMark(base: Uint8Array, source: Uint8Array, target: Uint8Array): boolean {
  const [before, ours, theirs] = [base, source, target].map(hasMark);
  return ours === before ? theirs : ours;
}

export function withoutMark(bytes: Uint8Array): Uint8Array {
  return hasMark(bytes) ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes;
}

function hasMark(bytes: Uint8Array): boolean {
  return BYTE_ORDER_MARK.every((byte, index) => bytes[index] === byte);
}
