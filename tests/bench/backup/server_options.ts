import type { ServerOptions } from "../server.ts";
import type { Workspace } from "../workspace.ts";

/** A server with a password and a data directory of its own, that may use the workspace's `trees`. */
export async function serverOptions(workspace: Workspace, name: string, signal: AbortSignal): Promise<ServerOptions> {
  return {
    dataDir: await workspace.directory(`data-${name}`),
    roots: [`${workspace.path}/trees`],
    logFile: `${workspace.path}/server-${name}.log`,
    env: { SYNCLINE_REPOSITORY_PASSWORD: "a password of the bench" },
    signal,
  };
}
