import { type ConnectionSettings, engineNamed, type Refuse, SUPPORTED, toSpec } from "./connection_settings.ts";
import type { ConnectionSpec, Engine } from "./types.ts";

/** Keys in lower case, without spaces, hyphens and underscores. What is ignored changes nothing of what is read or written. */
const KEYS: Record<string, keyof ConnectionSettings | "provider" | "ignored"> = {
  provider: "provider",
  server: "host",
  host: "host",
  datasource: "host",
  port: "port",
  database: "database",
  initialcatalog: "database",
  userid: "user",
  username: "user",
  user: "user",
  uid: "user",
  password: "password",
  pwd: "password",
  sslmode: "ssl",
  rootcertificate: "sslRootCertificate",
  sslrootcert: "sslRootCertificate",
  sslca: "sslRootCertificate",
  timeout: "timeout",
  connecttimeout: "timeout",
  connectiontimeout: "timeout",
  applicationname: "ignored",
  charset: "ignored",
  characterset: "ignored",
  encoding: "ignored",
  clientencoding: "ignored",
  commandtimeout: "ignored",
  defaultcommandtimeout: "ignored",
  connectionlifetime: "ignored",
  connectionidlelifetime: "ignored",
  enlist: "ignored",
  keepalive: "ignored",
  maxpoolsize: "ignored",
  maximumpoolsize: "ignored",
  minpoolsize: "ignored",
  minimumpoolsize: "ignored",
  persistsecurityinfo: "ignored",
  pooling: "ignored",
  version: "ignored",
};

/** A key, in which `==` is an equals sign, up to its `=`. */
const KEY = /[\s;]*((?:[^=;]|==)*[^=;\s])\s*=(?!=)\s*/y;
/** A value in quotes, the quote inside doubled, or up to the next semicolon. */
const VALUE = /(?:"((?:[^"]|"")*)"|'((?:[^']|'')*)'|([^"';][^;]*)|)\s*(?:;|$)/y;

/**
 * Reads `Key=Value;…` by the rules of ADO.NET: keys in any case, the last of equal keys counts, values in single or double quotes
 * keep semicolons and outer spaces. PostgreSQL where no provider is named.
 */
export function parsePairs(text: string, refuse: Refuse): ConnectionSpec {
  const settings: ConnectionSettings = {};
  let engine: Engine = "postgres";
  let previous: string | undefined;
  for (const [name, value] of pairs(text, refuse)) {
    const key = name.toLowerCase().replaceAll(/[\s_-]/g, "");
    const setting = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
    if (setting === undefined) {
      // It may be the rest of a password that holds a semicolon.
      if (previous === "password") {
        refuse("the key after the password is unknown. A password that holds ; must be in quotes.");
      }
      refuse(`the key ${JSON.stringify(name.slice(0, 40))} is unknown.`);
    } else if (setting === "provider") {
      engine = engineNamed(value) ?? refuse(`the provider is not supported. Supported: ${SUPPORTED}.`);
    } else if (setting !== "ignored") {
      if (value === "") delete settings[setting];
      else settings[setting] = value;
    }
    previous = setting;
  }
  if (engine !== "sqlite") splitPort(settings);
  return toSpec(engine, settings, refuse);
}

function* pairs(text: string, refuse: Refuse): Generator<[string, string]> {
  let at = 0;
  while (!/^[\s;]*$/.test(text.slice(at))) {
    KEY.lastIndex = at;
    const key = KEY.exec(text);
    if (key === null) refuse("a part of it is not of the form Key=Value. A value that holds ; must be in quotes.");
    VALUE.lastIndex = KEY.lastIndex;
    const value = VALUE.exec(text);
    if (value === null) refuse("a value's quotes are not understood: quote it as a whole and double the quotes in it.");
    const [, double, single, plain = ""] = value;
    yield [
      key[1].replaceAll("==", "="),
      double?.replaceAll('""', '"') ?? single?.replaceAll("''", "'") ?? plain.trimEnd(),
    ];
    at = VALUE.lastIndex;
  }
}

/** `Host=name:5432` and `Host=[::1]:5432`, as some drivers have it. */
function splitPort(settings: ConnectionSettings): void {
  const parts = /^(?:\[([^\]]*)\]|([^:/]+))(?::(\d+))?$/.exec(settings.host ?? "");
  if (parts === null) return;
  settings.host = parts[1] ?? parts[2];
  settings.port ??= parts[3];
}
