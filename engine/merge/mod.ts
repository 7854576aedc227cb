/**
 * Three-way merges: by lines, and of JSON, YAML, XML and INI by what they say. Guarantees: a merge without conflicts gives up no edit of
 * either side; every byte of it comes from one of the three versions, or is punctuation between them; time and memory are bounded
 * whatever the content; an output file holds its old or its new content, whole, at every moment.
 */
export { isBinary } from "./input_file.ts";
export { mergeOperation } from "./merge_files.ts";
export { mergeContents } from "./merge_contents.ts";
export { mergeText, type TextMerge } from "./merge_text.ts";
export type * from "./request.ts";
export type * from "./types.ts";
