import { testDialect } from "../conformance_testing.ts";
import { onMariaDb, sharedMariaDb } from "../../../tests/harness/mariadb.ts";
import { mysql } from "./dialect.ts";
import { quoteName } from "./quote.ts";
import { TYPE_EXAMPLES } from "./type_examples_testing.ts";

const server = sharedMariaDb();

if (onMariaDb("").ignore) {
  Deno.test({ ...onMariaDb("mysql: everything that a dialect must do"), fn: () => {} });
} else {
  testDialect("mysql", {
    dialect: mysql,
    database: () => server().database(),
    quote: quoteName,
    types: TYPE_EXAMPLES,
    methods: ["md5"],
    identity: "integer not null auto_increment primary key",
    generated: "integer generated always as (n + 1) stored",
    locksRows: true,
    deferredForeignKey: "",
    authenticates: true,
    // Neither spaces at the end nor characters beyond three bytes.
    impossibleNames: / $|[\u{10000}-\u{10ffff}]/u,
  });
}
