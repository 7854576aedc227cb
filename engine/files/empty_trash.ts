import * as fs from "node:fs";
import { isTrash } from "./trash.ts";
import type { TaskContext } from "../../workers/types.ts";

export interface EmptyTrashInput {
  /** Absolute. */
  trash: string;
  /** Milliseconds since 1970: what runs that began earlier have put there goes. */
  before: number;
}

const FOLDER = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-/;

/** Removes a trash's old folders; nothing where it is no trash or not there. */
export function emptyTrash({ trash, before }: EmptyTrashInput, context: TaskContext): void {
  if (!fs.existsSync(trash) || !isTrash(trash)) return;
  for (const name of fs.readdirSync(trash)) {
    const [, year, month, day, hour, minute, second] = FOLDER.exec(name) ?? [];
    if (Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) >= before) continue;
    context.patiently(() => fs.rmSync(`${trash}/${name}`, { recursive: true, force: true }));
  }
}
