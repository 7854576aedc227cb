import assert from "node:assert/strict";
import { createRandom, type Random, testSeed } from "../../tests/harness/random.ts";
import { EngineError } from "../errors.ts";
import { describeConnection, parseConnectionString } from "./connection_string.ts";
import type { ConnectionSpec } from "./types.ts";

const parse = (text: string) => parseConnectionString(text, "sourceConnectionString");

const DEFAULTS = { ssl: "prefer", connectTimeoutMs: 15_000 } as const;

function refusal(text: string): string {
  let error: unknown;
  try {
    parse(text);
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error instanceof EngineError && error.kind === "invalid", text);
  assert.ok(error.details.startsWith("sourceConnectionString: "), error.details);
  return error.details;
}

Deno.test("connection strings of both forms are read", () => {
  const local = { engine: "postgres", host: "h", port: 5432, database: "d", ...DEFAULTS };
  const cases: [string, ConnectionSpec | Record<string, unknown>][] = [
    ["postgres://h/d", local],
    ["POSTGRESQL://h:5432/d", local],
    ["postgres:///d", { ...local, host: "localhost" }],
    ["postgres://u:p%40%2F%3A@h:1/d%20e", { ...local, user: "u", password: "p@/:", port: 1, database: "d e" }],
    ["postgres://u:a:b@c@h/d", { ...local, user: "u", password: "a:b@c" }],
    ["postgres://[::1]:7/d", { ...local, host: "::1", port: 7 }],
    ["postgres:///d?host=/run/postgresql&user=u&password=p%26", {
      ...local,
      host: "/run/postgresql",
      user: "u",
      password: "p&",
    }],
    ["postgres://%2Frun%2Fpg/d", { ...local, host: "/run/pg" }],
    ["postgres://h/d?sslmode=verify-full&sslrootcert=/ca.pem&connect_timeout=3&application_name=x", {
      ...local,
      ssl: "verify-full",
      sslRootCertificate: "/ca.pem",
      connectTimeoutMs: 3000,
    }],
    ["mysql://root@h/d", { ...local, engine: "mysql", port: 3306, user: "root" }],
    ["mariadb://h:3307/d?ssl-mode=VERIFY_IDENTITY", { ...local, engine: "mysql", port: 3307, ssl: "verify-full" }],
    ["sqlite:/a/b.db", { engine: "sqlite", database: "/a/b.db", ...DEFAULTS, ssl: "disable" }],
    ["sqlite:///a/%3F%25.db", { engine: "sqlite", database: "/a/?%.db", ...DEFAULTS, ssl: "disable" }],
    ["Server=h;Database=d;", local],
    [" ;host = h ; DATABASE=d", local],
    ["Data Source=h:5433;Initial Catalog=d;Uid=u;Pwd=a=b", { ...local, port: 5433, user: "u", password: "a=b" }],
    [`Server=[::1]:1;Database=d;User Id='it''s; u';Password="x;""y"" 'z' "`, {
      ...local,
      host: "::1",
      port: 1,
      user: "it's; u",
      password: `x;"y" 'z' `,
    }],
    ["Server=h;Database=d;Username=u;Password=a'b\"c", { ...local, user: "u", password: "a'b\"c" }],
    ["Server=x;Server=h;Database=d;Password=1;Password=", local],
    ["Server=h;Database=d;SSL Mode=VerifyCA;Timeout=2;Pooling=true;Application Name=x;MaxPoolSize=3", {
      ...local,
      ssl: "verify-ca",
      connectTimeoutMs: 2000,
    }],
    ["Provider=MySQL;Server=h;Database=d;SslMode=None", { ...local, engine: "mysql", port: 3306, ssl: "disable" }],
    ["Provider=MariaDB;Server=h;Port=9;Database=d", { ...local, engine: "mysql", port: 9 }],
    ["Data Source=/a b.db;Provider=sqlite", { engine: "sqlite", database: "/a b.db", ...DEFAULTS, ssl: "disable" }],
    ["provider=sqlite;database=/a:1", { engine: "sqlite", database: "/a:1", ...DEFAULTS, ssl: "disable" }],
  ];
  for (const [text, spec] of cases) assert.deepEqual(parse(text), spec, text);
});

Deno.test("what a connection string lacks or cannot say is told", () => {
  const cases: [string, RegExp][] = [
    ["mongodb://h/d", /mongodb is not supported.*PostgreSQL.*MySQL.*MariaDB.*SQLite/],
    ["Provider=oracle;Server=h", /provider is not supported.*PostgreSQL.*MySQL.*MariaDB.*SQLite/],
    ["", /no database/],
    ["nonsense", /Key=Value/],
    ["Server=h", /no database.*SQLite/],
    ["postgres://h", /no database/],
    ["postgres:h/d", /start with postgres:\/\//],
    ["postgres://a,b/d", /one host/],
    ["Server=a,b;Database=d", /one host/],
    ["postgres://h:x/d", /port must be a number/],
    ["Server=h;Port=70000;Database=d", /port must be a number/],
    ["postgres://::1/d", /brackets/],
    ["postgres://h/d?target_session_attrs=any", /"target_session_attrs" is unknown/],
    ["Server=h;Database=d;Search Path=x", /"Search Path" is unknown/],
    ["Server=h;Database=d;Timeout=0", /whole seconds/],
    ["Server=h;Database=d;SslMode=maybe", /SSL mode must be/],
    ["Server=h;Database=d\0;", /U\+0000/],
    ["Server=h;Database=\ud800;", /half a character/],
    ["postgres://h/%", /%25/],
    ["sqlite:", /name the SQLite file/],
    ["sqlite:/a?mode=ro", /no parameters/],
    ["sqlite://a/b", /absolute path/],
    ["sqlite::memory:", /in memory/],
    ["Provider=sqlite;Data Source=/a;Database=/b", /once/],
    ["Provider=sqlite;Data Source=/a;Password=p", /a path only/],
    ["Server=h;Database=d;User Id='u'x", /quotes/],
  ];
  for (const [text, words] of cases) assert.match(refusal(text), words, JSON.stringify(text));
});

Deno.test("a password that should have been quoted or encoded is in no error", () => {
  const secret = "hunter2";
  const texts = [
    `Server=h;Database=d;Password=x;${secret}`,
    `Server=h;Database=d;Password=x;${secret}=1`,
    `Server=h;Database=d;Password=x;a${secret};Port=y`,
    `Server=h;Database=d;Password='${secret}`,
    `Server=h;Password=${secret}`,
    `Server=h;Database=d;Password=${secret};Nonsense=1`,
    `Server=h;Database=d;Password=${secret};SslMode=maybe`,
    `postgres://u:${secret}@h`,
    `postgres://u:x/${secret}@h/d`,
    `postgres://u:1/${secret}@h/d`,
    `postgres://u:1?${secret}@h/d`,
    `postgres://u:1?${secret}=1@h/d`,
    `postgres://u:1#${secret}@h/d`,
    `postgres://u:${secret}%@h/d`,
    `postgres://u:${secret}:5432/d`,
    `postgres://h/d?password=${secret}&x=y`,
    `mongodb://u:${secret}@h/d`,
    `u:${secret}@h/d`,
    `${secret}:x`,
  ];
  for (const text of texts) assert.ok(!refusal(text).includes(secret), refusal(text));
});

/** A text with what is special in either form, and no outer spaces. */
function word(random: Random): string {
  const characters = [..."ab12;='\"@:/?#&%+ [],.\\{}", "ß", "😀"];
  const length = 1 + random.below(8);
  const text = Array.from({ length }, () => random.pick(characters)).join("");
  return random.oneIn(3) ? text : text.trim() || "w";
}

Deno.test("random settings survive both forms, and their description has all but the password", () => {
  const seed = testSeed("connection strings");
  const random = createRandom(seed);
  for (let round = 0; round < 2000; round++) {
    const spec: ConnectionSpec = {
      engine: random.pick(["postgres", "mysql"] as const),
      host: random.pick(["h", "db.example.com", "10.0.0.1", "::1", "fe80::1", "/var/run/pg"]),
      port: 1 + random.below(65_535),
      database: word(random),
      ...(random.oneIn(2) ? { user: word(random) } : {}),
      ...(random.oneIn(2) ? { password: word(random) } : {}),
      ...DEFAULTS,
    };
    const { host = "", port, database, user = "", password = "" } = spec;
    const address = host.startsWith("/") ? encodeURIComponent(host) : host.includes(":") ? `[${host}]` : host;
    const url = `${spec.engine}://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${address}:${port}/${
      encodeURIComponent(database)
    }`;
    const quoted = (text: string) =>
      random.oneIn(2) ? `"${text.replaceAll('"', '""')}"` : `'${text.replaceAll("'", "''")}'`;
    const pairs = `Provider=${spec.engine};Host=${host};Port=${port};Database=${quoted(database)};` +
      `User Id=${quoted(user)};Password=${quoted(password)}`;
    assert.deepEqual(parse(url), spec, url);
    assert.deepEqual(parse(pairs), spec, pairs);
    const { password: _, ...known } = spec;
    assert.deepEqual(parse(describeConnection(spec)), known);
  }
});

Deno.test("random text gives settings or a refusal, never anything else", () => {
  const random = createRandom(testSeed("random connection strings"));
  const parts = [
    "postgres://",
    "sqlite:",
    "Server",
    "Password",
    "=",
    "==",
    ";",
    "'",
    '"',
    "@",
    ":",
    "/",
    "?",
    "%",
    " ",
    "a",
    "1",
  ];
  for (let round = 0; round < 20_000; round++) {
    const text = Array.from({ length: random.below(14) }, () => random.pick(parts)).join("");
    try {
      parse(text);
    } catch (error) {
      assert.ok(error instanceof EngineError, text);
    }
  }
});

Deno.test("a connection is described by a URL without its password", () => {
  const describe = (text: string) => describeConnection(parse(text));
  assert.equal(describe("Server=h;Database=d;User Id=u;Password=p"), "postgres://u@h:5432/d");
  assert.equal(describe("mariadb://[::1]/d%2F1"), "mysql://[::1]:3306/d%2F1");
  assert.equal(describe("Data Source=/a b/c?.db;Provider=sqlite"), "sqlite:/a%20b/c%3F.db");
});
