/** Below this a buffer may be a part of one that Node's shares among many. */
const SHARED_BELOW = 1 << 17;

/**
 * Gives a large buffer's memory back at once; it must have no other user, and is empty afterwards. The garbage collector sees small objects only
 * and lets hundreds of megabytes pile up behind them.
 */
export function release(bytes: Uint8Array<ArrayBuffer>): void {
  if (bytes.buffer.byteLength >= SHARED_BELOW) bytes.buffer.transfer(0);
}
