import assert from "node:assert/strict";
import { welcome } from "./welcome.ts";

Deno.test("the command that is printed survives a shell, whatever the path holds", async () => {
  const home = await Deno.makeTempDir({ prefix: "syncline-welcome-" });
  const path = `${home}/it's a "$HOME" \`token\` file`;
  try {
    await Deno.writeTextFile(path, "secret-in-file\n");
    const line = welcome("http://127.0.0.1:1", { from: "file", path }).split("\n").find((text) =>
      text.startsWith("curl ")
    );
    const script = `curl() { printf '%s\\n' "$@"; }\n${line}`;
    const { stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
    assert.deepEqual(new TextDecoder().decode(stdout).split("\n"), [
      "-H",
      "Authorization: Bearer secret-in-file",
      "http://127.0.0.1:1/api/v1/health",
      "",
    ]);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});
