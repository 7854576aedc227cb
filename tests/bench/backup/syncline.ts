import type { CheckResult, CreateResult, RestoreResult } from "../../../engine/backup/types.ts";
import type { Server } from "../server.ts";
import type { RepositoryTool } from "./repository_tool.ts";

/** Syncline itself over HTTP, timed from the request to the answer as a client sees it. */
export class SynclineRepository implements RepositoryTool {
  readonly name = "syncline";
  readonly #server: Server;
  /** Repository → its newest version. */
  readonly #newest = new Map<string, string>();

  constructor(server: Server) {
    this.#server = server;
  }

  /** By a backup of nothing: the others' repositories are made untimed as well. */
  async init(repository: string): Promise<void> {
    const nothing = `${repository}-nothing`;
    await Deno.mkdir(nothing);
    await this.backup(repository, nothing);
  }

  async backup(repository: string, source: string): Promise<number> {
    const request = { sourceDirectory: source, backupPath: repository };
    const { answer, milliseconds } = await this.#post<CreateResult>("/backup/create", request);
    if (!answer.success) throw new Error(`Syncline's backup is not whole: ${answer.errors.slice(0, 5).join("; ")}`);
    this.#newest.set(repository, answer.versionId);
    return milliseconds;
  }

  async restore(repository: string, _source: string, target: string) {
    const request = { backupPath: repository, versionId: this.#newest.get(repository), restorePath: target };
    const { answer, milliseconds } = await this.#post<RestoreResult>("/backup/restore", request);
    if (!answer.success) throw new Error(`Syncline's restore is not whole: ${answer.errors.slice(0, 5).join("; ")}`);
    return { milliseconds, content: target };
  }

  async check(repository: string): Promise<number> {
    const request = { backupPath: repository, readData: true };
    const { answer, milliseconds } = await this.#post<CheckResult>("/backup/check", request);
    if (!answer.success) throw new Error(`Syncline's check found problems: ${JSON.stringify(answer.problems[0])}`);
    return milliseconds;
  }

  async #post<T>(path: string, body: object): Promise<{ answer: T; milliseconds: number }> {
    const start = performance.now();
    const answer = await this.#server.post<T>(path, body);
    return { answer, milliseconds: performance.now() - start };
  }
}
