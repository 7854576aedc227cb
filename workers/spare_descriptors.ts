/** What a thread needs while it starts, its code's files included, with room for those who connect meanwhile. */
const NEEDED = 32;

/**
 * That this process may open enough more files for a thread to start. The runtime ends the whole process where a thread's event
 * loop finds no descriptor, as it may where clients hold as many connections as there are: so this comes before each start.
 * @throws Error where it may not
 */
export function requireSpareDescriptors(): void {
  const opened: Deno.FsFile[] = [];
  try {
    while (opened.length < NEEDED) opened.push(Deno.openSync("/dev/null"));
  } catch (cause) {
    throw new Error(`Cannot start a thread: it needs ${NEEDED} file descriptors, and ${opened.length} are free`, {
      cause,
    });
  } finally {
    for (const file of opened) file.close();
  }
}
