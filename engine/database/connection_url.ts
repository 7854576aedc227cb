import { type ConnectionSettings, engineNamed, type Refuse, SUPPORTED, toSpec } from "./connection_settings.ts";
import type { ConnectionSpec } from "./types.ts";

/** Parameters of URLs, as libpq and the MySQL clients name them. */
const PARAMETERS: Record<string, keyof ConnectionSettings | "ignored"> = {
  host: "host",
  port: "port",
  dbname: "database",
  user: "user",
  password: "password",
  sslmode: "ssl",
  "ssl-mode": "ssl",
  sslrootcert: "sslRootCertificate",
  "ssl-ca": "sslRootCertificate",
  connect_timeout: "timeout",
  application_name: "ignored",
  client_encoding: "ignored",
  charset: "ignored",
};

const ENCODE =
  "percent-encode what is special in a user, password, path or parameter, such as %40 for @ and %2F for /.";

/** Reads `scheme://user:password@host:port/database?parameters` and `sqlite:/path`. */
export function parseUrl(scheme: string, text: string, refuse: Refuse): ConnectionSpec {
  let rest = text.slice(scheme.length + 1);
  const engine = engineNamed(scheme);
  if (engine === undefined) {
    refuse(`${rest.startsWith("//") ? scheme.toLowerCase() : "it"} is not supported. Supported: ${SUPPORTED}.`);
  }
  if (engine === "sqlite") {
    if (/[?#]/.test(rest)) refuse("a SQLite path takes no parameters; write %3F for ? and %23 for #.");
    if (rest.startsWith("//") && !rest.startsWith("///")) refuse("write an absolute path, such as sqlite:/path.");
    return toSpec(engine, given({ database: decode(rest.replace(/^\/+/, "/"), refuse) }), refuse);
  }
  if (!rest.startsWith("//")) refuse(`it must start with ${scheme.toLowerCase()}://.`);
  rest = rest.slice(2);
  const end = rest.search(/[/?]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  const [path, query, surplus] = (end < 0 ? "" : rest.slice(end)).split("?");
  // An @, #, / or ? that is not encoded may be a password's: then nothing that follows is safe to name.
  if (surplus !== undefined || rest.includes("#") || /[@]/.test(path + (query ?? "")) || /^\/.*\//s.test(path)) {
    refuse(ENCODE);
  }
  return toSpec(
    engine,
    {
      ...readAuthority(authority, refuse),
      ...given({ database: decode(path.slice(1), refuse) }),
      ...readQuery(query, refuse),
    },
    refuse,
  );
}

function readAuthority(authority: string, refuse: Refuse): ConnectionSettings {
  const at = authority.lastIndexOf("@");
  const [, user, password] = /^([^:]*):?(.*)$/s.exec(authority.slice(0, Math.max(at, 0)))!;
  const address = /^(\[[^\]]*\]|[^:[\]]*)(?::([^:]*))?$/s.exec(authority.slice(at + 1));
  if (address === null) refuse("its host and port are not understood; an IPv6 address must be in brackets.");
  const [, host, port] = address;
  return given({
    user: decode(user, refuse),
    password: decode(password, refuse),
    host: decode(host, refuse).replace(/^\[(.*)\]$/, "$1"),
    port: port ?? "",
  });
}

function readQuery(query: string | undefined, refuse: Refuse): ConnectionSettings {
  const settings: ConnectionSettings = {};
  for (const part of query?.split("&") ?? []) {
    if (part === "") continue;
    const [, name, value] = /^([^=]*)=?(.*)$/s.exec(part)!;
    const setting = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined;
    if (setting === undefined) refuse(`the parameter ${JSON.stringify(name.slice(0, 40))} is unknown.`);
    if (setting !== "ignored" && value !== "") settings[setting] = decode(value, refuse);
  }
  return settings;
}

/** Only what is not empty. */
function given(settings: ConnectionSettings): ConnectionSettings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== ""));
}

function decode(text: string, refuse: Refuse): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return refuse("a % must be written as %25.");
  }
}
