import type { AdminToken } from "./admin_token.ts";

/** What the server prints once it listens: where, how to get in, and one command to try. */
export function welcome(url: string, token: AdminToken): string {
  const health = `${url}/api/v1/health`;
  const lines = [`Syncline listens on ${url}`];
  if (token.from === "file") {
    lines.push(`Admin token: ${token.path}`, `curl -H "Authorization: Bearer $(cat ${quote(token.path)})" ${health}`);
  } else if (token.from === "environment") {
    lines.push("Admin token: as SYNCLINE_TOKEN says", `curl -H "Authorization: Bearer $SYNCLINE_TOKEN" ${health}`);
  } else {
    lines.push(
      "Admin token: made at an earlier start; to set a new one, start with SYNCLINE_TOKEN",
      `curl ${url}/livez`,
    );
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** A word for a POSIX shell. Inside `"$(…)"` single quotes quote as they do outside. */
function quote(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}
