const encoder = new TextEncoder();

function writeAll(file: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

/** A line of the result, to stdout. */
export function print(line: string): void {
  writeAll(Deno.stdout, `${line}\n`);
}

/** A line about how far it is, to stderr. */
export function progress(line: string): void {
  writeAll(Deno.stderr, `${line}\n`);
}
