import { run, type RunOptions } from "../command.ts";
import type { RepositoryTool } from "./repository_tool.ts";

export interface RepositoryPeers {
  tools: RepositoryTool[];
  /** Tool → the first line that it prints about its version. */
  versions: Record<string, string>;
  /** Those that are not installed. */
  missing: string[];
}

interface Surroundings {
  /** For caches and settings, so that nothing of the user's is used or changed. */
  home: string;
  signal: AbortSignal;
}

const PASSWORD = "a password of the bench";

/** The tools that backups are held against, as far as they are installed. */
export async function findRepositoryPeers(surroundings: Surroundings): Promise<RepositoryPeers> {
  const peers: RepositoryPeers = { tools: [], versions: {}, missing: [] };
  const known = [
    { tool: new Restic(surroundings), version: ["restic", "version"] },
    { tool: new Borg(surroundings), version: ["borg", "--version"] },
  ];
  for (const { tool, version } of known) {
    try {
      const { stdout } = await run(version, { signal: surroundings.signal, capture: true });
      peers.versions[tool.name] = stdout.split("\n", 1)[0].trim();
      peers.tools.push(tool);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      peers.missing.push(tool.name);
    }
  }
  return peers;
}

/** Runs a tool's commands in an environment of their own. */
class Program {
  readonly #env: Record<string, string>;
  readonly #signal: AbortSignal;

  constructor({ home, signal }: Surroundings, env: Record<string, string>) {
    this.#signal = signal;
    this.#env = { HOME: home, XDG_CACHE_HOME: `${home}/cache`, XDG_CONFIG_HOME: `${home}/config`, ...env };
  }

  async run(argv: string[], options: Pick<RunOptions, "cwd"> = {}): Promise<number> {
    return (await run(argv, { ...options, env: this.#env, signal: this.#signal })).milliseconds;
  }

  async output(argv: string[]): Promise<string> {
    return (await run(argv, { env: this.#env, signal: this.#signal, capture: true })).stdout.trim();
  }
}

/** With its defaults: AES-256-CTR with Poly1305, zstd at its own choice of level. */
class Restic implements RepositoryTool {
  readonly name = "restic";
  readonly #program: Program;

  constructor(surroundings: Surroundings) {
    this.#program = new Program(surroundings, { RESTIC_PASSWORD: PASSWORD });
  }

  async init(repository: string): Promise<void> {
    await this.#run(repository, ["init", "--repository-version", "2"]);
  }

  backup(repository: string, source: string): Promise<number> {
    return this.#run(repository, ["backup", source]);
  }

  async restore(repository: string, source: string, target: string) {
    const milliseconds = await this.#run(repository, ["restore", "latest", "--target", target]);
    return { milliseconds, content: target + source };
  }

  check(repository: string): Promise<number> {
    return this.#run(repository, ["check", "--read-data"]);
  }

  #run(repository: string, args: string[]): Promise<number> {
    return this.#program.run(["restic", "--quiet", "--repo", repository, ...args]);
  }
}

/** The fastest of its encrypted modes, with zstd, for its own default (lz4) makes larger repositories. */
class Borg implements RepositoryTool {
  readonly name = "borg";
  readonly #program: Program;

  constructor(surroundings: Surroundings) {
    this.#program = new Program(surroundings, { BORG_PASSPHRASE: PASSWORD, BORG_BASE_DIR: surroundings.home });
  }

  async init(repository: string): Promise<void> {
    await this.#program.run(["borg", "init", "--encryption", "repokey-blake2", repository]);
  }

  backup(repository: string, source: string): Promise<number> {
    const archive = `${repository}::${crypto.randomUUID()}`;
    return this.#program.run(["borg", "create", "--compression", "zstd,3", archive, "."], { cwd: source });
  }

  async restore(repository: string, _source: string, target: string) {
    const name = await this.#program.output(["borg", "list", "--last", "1", "--format", "{archive}", repository]);
    const archive = `${repository}::${name}`;
    return { milliseconds: await this.#program.run(["borg", "extract", archive], { cwd: target }), content: target };
  }

  check(repository: string): Promise<number> {
    return this.#program.run(["borg", "check", "--verify-data", repository]);
  }
}
