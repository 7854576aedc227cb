const MIB = 1 << 20;

/** Bytes of a part, and the most that is sent as one piece: above the least that S3 takes (5 MiB), and little memory. */
export const PART = 8 * MIB;

/** Bytes of each part but the last of an object: {@link PART}, more where there would be too many of them. */
export function partSize(size: number, mostParts: number): number {
  return Math.max(PART, Math.ceil(size / mostParts / MIB) * MIB);
}
