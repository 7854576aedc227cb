/** A small file system of its own, to be filled up. */
import { command } from "../harness/command.ts";

/** Why a test that mounts cannot run here, or false. Shown beside the test's name. */
export const CANNOT_MOUNT = await cannotMount();

async function cannotMount(): Promise<boolean> {
  if (Deno.uid() !== 0) return true;
  const directory = await Deno.makeTempDir();
  try {
    await using _mounted = await mountTmpfs(directory, "64k");
    return false;
  } catch (error) {
    if (error instanceof Error && /^mount ended/.test(error.message)) return true;
    throw error;
  } finally {
    await Deno.remove(directory);
  }
}

/** Mounts an empty tmpfs of this size over a directory; disposing of it unmounts it. */
export async function mountTmpfs(directory: string, size: string): Promise<AsyncDisposable> {
  await command("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", directory]);
  return {
    async [Symbol.asyncDispose]() {
      await command("umount", [directory]);
    },
  };
}

/** Gives a mounted tmpfs another size. */
export async function resizeTmpfs(directory: string, size: string): Promise<void> {
  await command("mount", ["-o", `remount,size=${size}`, directory]);
}
