import type { Command } from "commander";
import {
  addPassword,
  changePassword,
  listPasswords,
  openRepository,
  removePassword,
  type RepositoryAccess,
} from "../engine/backup/mod.ts";
import { type CommandEngine, readPassword, startEngine } from "./engine.ts";
import { EXIT, UsageError } from "./exit_code.ts";
import { formatTable } from "./format.ts";
import { type CommonOptions, type Run, withCommonOptions } from "./mod.ts";

type NewPasswordOptions = CommonOptions & { newPasswordFile: string; label: string };

/** The passwords of a repository. */
export function addKeyCommands(program: Command, run: Run): void {
  const key = program.command("key").description("The passwords that open a repository. No data is written anew.");

  withCommonOptions(key.command("list <repository>").description("List them: when they were added, not what they are."))
    .action((repository: string, options: CommonOptions) =>
      run(options, async (output) => {
        await using engine = await startEngine(output, options.passwordFile);
        const keys = await listPasswords(await open(engine, repository));
        const rows = keys.map(({ keyId, createdAt, label }) => [keyId, createdAt, label]);
        output.result({ keys }, formatTable([["KEY", "CREATED", "LABEL"], ...rows]));
        return EXIT.ok;
      })
    );

  withNewPassword(key.command("add <repository>").description("Add a password."))
    .option("--label <text>", "shown in lists", "")
    .action((repository: string, options: NewPasswordOptions) =>
      run(options, async (output) => {
        await using engine = await startEngine(output, options.passwordFile);
        const password = await readPassword(options.newPasswordFile);
        const added = await addPassword(await open(engine, repository), password, options.label);
        output.result(added, [`Added key ${added.keyId}`]);
        return EXIT.ok;
      })
    );

  withNewPassword(key.command("change <repository>").description("Replace the password that opens it by another one."))
    .action((repository: string, options: NewPasswordOptions) =>
      run(options, async (output) => {
        await using engine = await startEngine(output, options.passwordFile);
        const password = await readPassword(options.newPasswordFile);
        const access = await open(engine, repository);
        if (engine.password === undefined) throw new UsageError("set the present password");
        const added = await changePassword(access, engine.password, password);
        output.result(added, [`Changed: key ${added.keyId}`]);
        return EXIT.ok;
      })
    );

  withCommonOptions(key.command("remove <repository> <key>").description("Remove a password, named by its key."))
    .action((repository: string, keyId: string, options: CommonOptions) =>
      run(options, async (output) => {
        await using engine = await startEngine(output, options.passwordFile);
        await removePassword(await open(engine, repository), keyId);
        output.result({ keyId }, [`Removed key ${keyId}`]);
        return EXIT.ok;
      })
    );
}

function withNewPassword(command: Command): Command {
  return withCommonOptions(command)
    .requiredOption("--new-password-file <file>", "a file with the new password");
}

async function open(engine: CommandEngine, repository: string): Promise<RepositoryAccess> {
  return await openRepository(await engine.repository(repository), engine.password);
}
