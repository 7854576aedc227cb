import type { TaskContext } from "../../workers/types.ts";
import { describeMerge } from "./describe_merge.ts";
import { invalidFile } from "./file_error.ts";
import { readInput } from "./input_file.ts";
import { mergeContents } from "./merge_contents.ts";
import { OutputFile } from "./output_file.ts";
import type { MergeFilesRequest, MergeFilesResult } from "./request.ts";

/**
 * Merges three files as a task of the pool.
 * @throws EngineError
 */
export async function mergeFilesTask(
  request: MergeFilesRequest,
  context: TaskContext,
): Promise<Omit<MergeFilesResult, "executionTimeMs">> {
  const { baseFile, sourceFile, targetFile, outputFile, strategy, format } = request;
  const base = readInput("baseFile", baseFile);
  const source = readInput("sourceFile", sourceFile);
  const target = readInput("targetFile", targetFile);
  using output = outputFile === undefined ? undefined : new OutputFile(outputFile);
  context.checkpoint();
  const paths = [sourceFile, targetFile, baseFile];
  const merge = mergeContents({ base, source, target }, { strategy, format, paths });
  context.checkpoint();
  const result = describeMerge(merge, request);
  if (output !== undefined) {
    await output.write(merge.content);
  } else if (result.isContentOmitted) {
    throw invalidFile(
      `The merge has ${result.mergedSize} bytes, which is too large for an answer, or is not UTF-8. Name an outputFile for it.`,
    );
  }
  return result;
}
