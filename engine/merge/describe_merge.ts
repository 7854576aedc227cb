import type { MergeFilesConflict, MergeFilesRequest, MergeFilesResult } from "./request.ts";
import type { MergeConflict, MergedFile } from "./types.ts";

/** The most bytes of a merge that are in the answer: it is kept with the session, too. Less where it is in a file as well. */
const MOST_CONTENT = 8 << 20;
const MOST_CONTENT_BESIDE_FILE = 1 << 20;
const MOST_CONFLICTS = 1000;
/** Bytes of one content of a conflict. */
const MOST_OF_ONE = 16 << 10;
/** Bytes of all conflicts' contents. */
const MOST_OF_ALL = 4 << 20;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** What is answered of a merge: of bounded size. */
export function describeMerge(
  { format, content: bytes, conflictCount, conflicts }: MergedFile,
  { strategy, outputFile }: Pick<MergeFilesRequest, "strategy" | "outputFile">,
): Omit<MergeFilesResult, "executionTimeMs"> {
  const most = outputFile === undefined ? MOST_CONTENT : MOST_CONTENT_BESIDE_FILE;
  const content = bytes.length <= most ? decode(bytes) : undefined;
  const isLeft = strategy === "Manual" && conflictCount > 0;
  return {
    success: !isLeft,
    mergedContent: content ?? "",
    conflicts: firstConflicts(conflicts),
    conflictResolutionCount: isLeft ? 0 : conflictCount,
    conflictCount,
    format,
    isContentOmitted: content === undefined,
    mergedSize: bytes.length,
  };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

function firstConflicts(conflicts: Iterable<MergeConflict>): MergeFilesConflict[] {
  const described: MergeFilesConflict[] = [];
  let size = 0;
  for (const { lineNumber, ...contents } of conflicts) {
    const { baseContent, sourceContent, targetContent, resolution } = contents;
    const all = [baseContent, sourceContent, targetContent, resolution].map((content) =>
      content.subarray(0, MOST_OF_ONE)
    );
    size += all.reduce((sum, content) => sum + content.length, 0);
    if (described.length === MOST_CONFLICTS || size > MOST_OF_ALL) break;
    const isTruncated = Object.values(contents).some((content) => content.length > MOST_OF_ONE);
    const [base, source, target, resolved] = all.map((content) => lenient.decode(content));
    described.push({
      lineNumber,
      baseContent: base,
      sourceContent: source,
      targetContent: target,
      resolution: resolved,
      ...(isTruncated ? { isTruncated } : {}),
    });
  }
  return described;
}
