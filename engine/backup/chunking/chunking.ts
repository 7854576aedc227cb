import type { Chunking } from "../repository/access.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Of new repositories; chosen by measurement, see FORMAT.md section 6. */
export const DEFAULT_CHUNKING: Chunking = {
  algorithm: "fastcdc",
  minimum: 256 * KIB,
  average: 512 * KIB,
  maximum: 2 * MIB,
  normalization: 2,
  region: 512 * MIB,
};

/** What is wrong with the parameters, or undefined. Within these limits the chunker needs little memory and always ends. */
export function chunkingFault(chunking: Chunking): string | undefined {
  const { algorithm, minimum, average, maximum, normalization, region } = chunking;
  if (algorithm !== "fastcdc") return `unknown algorithm ${algorithm}`;
  if (![minimum, average, maximum, normalization, region].every(Number.isSafeInteger)) return "not whole numbers";
  const bits = Math.log2(average);
  if (!Number.isInteger(bits)) return "average is no power of two";
  if (minimum < 64 || minimum >= average || average >= maximum) return "not 64 ≤ minimum < average < maximum";
  if (maximum > 64 * MIB) return "maximum is over 64 MiB";
  if (normalization < 0 || normalization >= bits || bits + normalization > 31) return "normalization is out of range";
  if (region < maximum) return "region is below maximum";
  return undefined;
}
