/** `POST /merge/files`. */
import { z } from "@hono/zod-openapi";
import { localPath, text } from "./common.ts";

const FORMATS = ["text", "json", "yaml", "xml", "ini"] as const;

export const MergeFilesBody = z.strictObject({
  baseFile: localPath.openapi({ example: "/path/to/base.txt", description: "The version that both others come from." }),
  sourceFile: localPath.openapi({ example: "/path/to/source.txt" }),
  targetFile: localPath.openapi({ example: "/path/to/target.txt" }),
  outputFile: localPath.optional().openapi({
    description: "Where the merge is written, in place of what is there; may be one of the three.",
  }),
  strategy: z.enum(["SourceWins", "TargetWins", "Union", "Manual"]).default("SourceWins").openapi({
    description:
      "What becomes of a conflict. Union: both, the source's first, where both can stand; else the source's. " +
      "Manual: both, between markers as git's, and `success` is false.",
  }),
  format: z.enum([...FORMATS, "auto"]).default("auto").openapi({
    description: "How the files are read. auto: by their extension, as text where they do not parse.",
  }),
  sessionId: text(1, 128).optional().openapi({ description: "A session started by hand that this merge joins." }),
}).openapi("MergeFilesRequest");

const conflict = z.object({
  lineNumber: z.int().min(1).openapi({ example: 42, description: "In the base file, from 1." }),
  baseContent: z.string().openapi({ example: "original" }),
  sourceContent: z.string().openapi({ example: "modified in source" }),
  targetContent: z.string().openapi({ example: "modified in target" }),
  resolution: z.string().openapi({ example: "modified in source", description: "What the merge has there." }),
  isTruncated: z.literal(true).optional().openapi({ description: "The contents were too long to be whole here." }),
});

const count = z.int().min(0);

export const MergeFilesAnswer = z.object({
  success: z.boolean().openapi({ example: true, description: "False where conflicts are left for a person." }),
  mergedContent: z.string(),
  conflicts: z.array(conflict).openapi({ description: "At most the first 1,000." }),
  conflictResolutionCount: count.openapi({ example: 1 }),
  conflictCount: count.openapi({ example: 1 }),
  format: z.enum(FORMATS).openapi({ description: "How the files were merged." }),
  isContentOmitted: z.boolean().openapi({
    description: "The merge is over 1 MiB or not UTF-8: it is in the output file, and `mergedContent` is empty. " +
      "Without an output file an answer has up to 8 MiB.",
  }),
  mergedSize: count.openapi({ description: "Bytes." }),
  executionTimeMs: count,
  sessionId: z.string(),
}).openapi("MergeFilesResponse");
