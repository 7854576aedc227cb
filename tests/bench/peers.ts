import { run } from "./command.ts";
import type { CopyScenario, Outcome, Tool } from "./tool.ts";

type Commands = Record<CopyScenario, string[][] | undefined>;

export interface Peers {
  tools: Tool[];
  /** Tool → the first line that it prints about its version. */
  versions: Record<string, string>;
  /** Those that are not installed. */
  missing: string[];
}

// rclone checks the hash of whatever it copied by itself; --checksum has it read both sides again, as rsync -c does.
const RCLONE = ["rclone", "sync", "--quiet", "--config", "", "--links", "--metadata", "--create-empty-src-dirs"];

const PROGRAMS: { name: string; version: string[]; commands: Commands }[] = [
  {
    name: "rsync",
    version: ["rsync", "--version"],
    commands: {
      first: [["rsync", "-a"]],
      nothing: [["rsync", "-a"]],
      changed: [["rsync", "-a"]],
      verify: [["rsync", "-a"], ["rsync", "-ac"]],
      large: [["rsync", "-a"]],
    },
  },
  {
    name: "rclone",
    version: ["rclone", "version"],
    commands: {
      first: [RCLONE],
      nothing: [RCLONE],
      changed: [RCLONE],
      verify: [RCLONE, [...RCLONE, "--checksum"]],
      large: [RCLONE],
    },
  },
  {
    name: "cp",
    version: ["cp", "--version"],
    commands: {
      first: [["cp", "-a"]],
      nothing: [["cp", "-au"]],
      changed: [["cp", "-au"]],
      verify: undefined,
      large: [["cp", "-a"]],
    },
  },
];

/** The tools that Syncline is held against, as far as they are installed. */
export async function findPeers(signal: AbortSignal): Promise<Peers> {
  const peers: Peers = { tools: [], versions: {}, missing: [] };
  for (const { name, version, commands } of PROGRAMS) {
    try {
      const { stdout } = await run(version, { signal, capture: true });
      peers.versions[name] = stdout.split("\n", 1)[0].trim();
      peers.tools.push(new Peer(name, commands, signal));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      peers.missing.push(name);
    }
  }
  return peers;
}

class Peer implements Tool {
  readonly name: string;
  readonly scenarios: ReadonlySet<CopyScenario>;
  readonly #commands: Commands;
  readonly #signal: AbortSignal;

  constructor(name: string, commands: Commands, signal: AbortSignal) {
    this.name = name;
    this.#commands = commands;
    this.#signal = signal;
    const names = Object.keys(commands) as CopyScenario[];
    this.scenarios = new Set(names.filter((scenario) => commands[scenario] !== undefined));
  }

  async run(scenario: CopyScenario, source: string, target: string): Promise<Outcome> {
    let milliseconds = 0;
    for (const command of this.#commands[scenario] ?? []) {
      // With a trailing /. each of them copies what is in the source, not the directory itself.
      milliseconds += (await run([...command, `${source}/.`, `${target}/`], { signal: this.#signal })).milliseconds;
    }
    return { milliseconds };
  }
}
