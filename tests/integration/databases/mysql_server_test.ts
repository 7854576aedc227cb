/** A MariaDB with encryption and with settings that nobody would wish for: connections, and values that stay what they are. */
import assert from "node:assert/strict";
import { dump, mariaDatabase, type PortableType, sqliteDatabase } from "../../harness/database_engines.ts";
import { PairedDatabases } from "../../harness/database_run.ts";
import { hasCommand, shell, withCommands } from "../../harness/command.ts";
import { onMariaDb, sharedMariaDb } from "../../harness/mariadb.ts";
import { parseConnectionString } from "../../../engine/database/connection_string.ts";
import { DatabaseError } from "../../../engine/database/error.ts";
import { mysql } from "../../../engine/database/mysql/dialect.ts";

/** `$1`: the directory that they are put in. */
const CERTIFICATES_SCRIPT = `
cd "$1"
make() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "$@" 2>/dev/null; }
for name in authority another-authority; do
  make -keyout "$name-key.pem" -out "$name.pem" -subj "/CN=Syncline tests, $name"
done
make -keyout localhost-key.pem -out localhost.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost \\
  -addext basicConstraints=critical,CA:FALSE -CA authority.pem -CAkey authority-key.pem
`;

/** Spread into a test: where something is missing it is skipped, and its name says what. */
const onServer = (name: string) => HAS_OPENSSL ? onMariaDb(name) : withCommands(name, ["openssl"]);

const HAS_OPENSSL = hasCommand("openssl");
/** Where this file's own certificates are, of authorities that nobody else trusts. */
const TLS = `${await Deno.makeTempDir({ prefix: "syncline-tls-" })}/`;
if (HAS_OPENSSL) await shell(CERTIFICATES_SCRIPT, [TLS]);
Deno.test.afterAll(() => Deno.remove(TLS, { recursive: true }));

const server = sharedMariaDb([
  `--ssl-ca=${TLS}authority.pem`,
  `--ssl-cert=${TLS}localhost.pem`,
  `--ssl-key=${TLS}localhost-key.pem`,
  "--skip-character-set-client-handshake",
  "--character-set-server=latin1",
  "--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH",
  "--default-time-zone=+05:00",
  "--autocommit=0",
  "--completion-type=CHAIN",
  "--innodb-rollback-on-timeout=ON",
  "--max-statement-time=1",
  "--max-error-count=0",
  "--explicit-defaults-for-timestamp=OFF",
  "--max-allowed-packet=1M",
]);

/** Connects by a connection string's words and tells the server's version, or why it could not. */
async function connect(words: string, user = server().user, password = server().password): Promise<string> {
  const text = `mysql://${user}:${password}@${words.replace("/", `:${server().port}/`)}`;
  try {
    const { signal } = new AbortController();
    await using connection = await mysql.connect(parseConnectionString(text, "source"), signal);
    return connection.server.version;
  } catch (error) {
    assert.ok(error instanceof DatabaseError, String(error));
    assert.ok(!error.message.includes(password), error.message);
    return `${error.kind}: ${error.message}`;
  }
}

Deno.test({
  ...onServer("mysql: the modes of encryption do what they say"),
  async fn() {
    await using database = await server().database();
    await database.run("create or replace user encrypted identified by 'not-seen' require ssl", "commit");
    await database.run(`grant all on ${database.name}.* to encrypted`);
    const at = (host: string, mode: string, authority?: string) =>
      `${host}/${database.name}?sslmode=${mode}${authority === undefined ? "" : `&sslrootcert=${TLS}${authority}.pem`}`;
    const cases: [string, RegExp][] = [
      [at("localhost", "disable"), /^authentication: /],
      [at("localhost", "prefer"), /^MariaDB/],
      [at("localhost", "require"), /^MariaDB/],
      [at("localhost", "require", "another-authority"), /^connection: .*certificate/],
      [at("localhost", "verify-ca"), /^connection: .*certificate/],
      [at("localhost", "verify-ca", "authority"), /^MariaDB/],
      [at("127.0.0.1", "verify-ca", "authority"), /^MariaDB/],
      [at("localhost", "verify-ca", "another-authority"), /^connection: .*certificate/],
      [at("localhost", "verify-full", "authority"), /^MariaDB/],
      [at("127.0.0.1", "verify-full", "authority"), /^connection: verify-full needs the server's name/],
      [at("localhost", "verify-ca", "nothing"), /^connection: .*cannot be read/],
    ];
    for (const [words, expected] of cases) assert.match(await connect(words, "encrypted", "not-seen"), expected, words);
    assert.match(await connect(at("localhost", "disable")), /^MariaDB/);
  },
});

const COLUMNS: { name: string; type: PortableType }[] = [
  { name: "id", type: "integer" },
  { name: "x", type: "text" },
  { name: "b", type: "bytes" },
];

Deno.test({
  ...onServer(
    "mysql: whatever a server's settings are, values travel exactly, and NULL does not become something else",
  ),
  async fn() {
    await using pair = await PairedDatabases.open(await sqliteDatabase(), await mariaDatabase(server()));
    const { source, target } = pair;
    await source.run(
      "create table items (id integer primary key, x text, b blob, at timestamp text, n integer)",
      `insert into items values (0, 'grüße 😀 \\ '' " ä', x'00ff5c27', '2024-01-01 12:00:00', 1), (2, null, null, null, null)`,
    );
    await target.run(
      "set names utf8mb4",
      "create table items (id integer not null auto_increment primary key, x varchar(50) character set utf8mb4, " +
        "b varbinary(20), at timestamp null, n integer)",
    );
    for (const useTransactions of [true, false]) {
      await target.run("delete from items where id = 0", "update items set x = 'old'", "commit");
      const there = await pair.sync(["items"], { useTransactions });
      assert.deepEqual([there.errors, there.entities[0].inserted > 0], [[], true]);
      assert.deepEqual(await dump(target, "items", COLUMNS), await dump(source, "items", COLUMNS));
      assert.deepEqual(await target.run("select unix_timestamp(at) from items where id = 0"), [["1704110400"]]);
      assert.equal((await pair.sync(["items"], { dryRun: true })).changesApplied, 0);
    }
    const refused: [string, RegExp][] = [
      ["at timestamp not null default current_timestamp, n integer", /items \(id=2\): column "at": .*no NULL/],
      ["at timestamp null, n integer not null unique auto_increment", /items \(id=2\): column "n": .*no NULL/],
    ];
    for (const [columns, words] of refused) {
      const key = columns.includes("auto_increment") ? "id integer not null primary key" : "id integer primary key";
      await target.run("drop table items");
      await target.run(`create table items (${key}, x varchar(50) character set utf8mb4, b varbinary(20), ${columns})`);
      await assert.rejects(pair.sync(["items"]), (error: { details?: string }) => words.test(error.details ?? ""));
    }
  },
});

Deno.test({
  ...onServer("mysql: a value that is too long for the server's statements is named"),
  async fn() {
    await using pair = await PairedDatabases.open(await sqliteDatabase(), await mariaDatabase(server()));
    const { source, target } = pair;
    await source.run(
      "create table items (id integer primary key, x text, b blob)",
      "insert into items values (1, 'short', null), (2, 'short', zeroblob(1500000)), (3, 'short', null)",
    );
    await target.run("create table items (id integer primary key, x longtext, b longblob)");
    const words = /items \(id=2\): column "b": .*max_allowed_packet is 1048576/;
    await assert.rejects(pair.sync(["items"]), (error: { details?: string }) => words.test(error.details ?? ""));
    const partly = await pair.sync(["items"], { useTransactions: false });
    assert.deepEqual([partly.changesApplied, partly.errors.length], [2, 1]);
    assert.match(partly.errors[0], words);
  },
});
