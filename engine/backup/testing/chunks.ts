import type { Chunking } from "../repository/access.ts";

/** For tests: chunks so small that every path of the code is taken by small files, regions and lists included. */
export const SMALL_CHUNKS: Chunking = {
  algorithm: "fastcdc",
  minimum: 64,
  average: 128,
  maximum: 512,
  normalization: 1,
  region: 20_000,
};
