/** The command line: the server's engine without the server. */
import { Command, CommanderError, Option } from "commander";
import { ApiError } from "../api/errors.ts";
import { EngineError, isCancellation } from "../engine/errors.ts";
import { describeError } from "../engine/jobs/describe_error.ts";
import { addBackupCommands } from "./backup_commands.ts";
import { addDatabaseCommands } from "./database_commands.ts";
import { EXIT, type ExitCode, UsageError } from "./exit_code.ts";
import { addKeyCommands } from "./key_commands.ts";
import { jsonOutput, type Output, textOutput } from "./output.ts";
import { addSyncCommand } from "./sync_command.ts";

const EXIT_CODES = `
Exit codes:
  0  done
  1  failed or interrupted
  2  the command line or an environment variable cannot be used
  3  done but for single files, or a check that found problems

The password of a repository comes from SYNCLINE_REPOSITORY_PASSWORD or --password-file, never from an argument.`;

/** Options of every command that does something. */
export interface CommonOptions {
  json?: boolean;
  passwordFile?: string;
}

/** Runs an action and says how it ended. */
export type Run = (options: CommonOptions, action: (output: Output) => Promise<ExitCode>) => Promise<void>;

/** @returns the exit code; undefined where the server was started and runs on */
export async function runCommandLine(args: string[]): Promise<ExitCode | undefined> {
  let code: ExitCode | undefined = EXIT.ok;
  const run: Run = async ({ json }, action) => {
    const output = json ? jsonOutput() : textOutput();
    code = await outcome(output, () => action(output));
  };
  const program = new Command("syncline")
    .description("Synchronises directories and databases, and keeps backups. Without a command it serves the HTTP API.")
    .addHelpText("after", EXIT_CODES)
    .exitOverride()
    .showHelpAfterError("Run the command with --help for its arguments.");
  program.command("serve").description("Serve the HTTP API; see the README for its variables.").action(async () => {
    const { serve } = await import("./serve.ts");
    await serve();
    code = undefined;
  });
  addBackupCommands(program, run);
  addKeyCommands(program, run);
  addSyncCommand(program, run);
  addDatabaseCommands(program, run);
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander has printed what is wrong, or the help that was asked for.
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  return code;
}

/** The options that every command has. */
export function withCommonOptions(command: Command): Command {
  return command
    .addOption(new Option("--password-file <file>", "a file with the repository's password"))
    .addOption(new Option("--json", "progress and result as lines of JSON"));
}

async function outcome(output: Output, action: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof UsageError) {
      output.error({ errorCode: "USAGE", message: "Cannot run the command", details: error.message });
      return EXIT.usage;
    }
    output.error(explain(error));
    return EXIT.failed;
  }
}

function explain(error: unknown): { errorCode: string; message: string; details: string } {
  if (error instanceof ApiError) {
    const { errorCode, message, details } = error;
    return { errorCode, message, details };
  }
  if (isCancellation(error)) {
    return {
      errorCode: "CANCELLED",
      message: "Interrupted",
      details: "what was done until then stays done, but nothing of an open transaction",
    };
  }
  if (error instanceof EngineError) return describeError(error);
  // Nobody keeps a log of a command: a defect must be seen here.
  const details = error instanceof Error ? error.stack ?? error.message : String(error);
  return { errorCode: "INTERNAL_ERROR", message: "The command failed unexpectedly", details };
}
