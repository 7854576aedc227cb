import { sharedPostgres } from "../../../tests/harness/postgres.ts";
import { testDialect } from "../conformance_testing.ts";
import { postgres } from "./dialect.ts";
import { quote } from "./identifier.ts";
import { TYPES } from "./type_examples_testing.ts";

const server = sharedPostgres();

/** What would change every value that is read without care. */
const HOSTILE = [
  "datestyle = 'German, DMY'",
  "timezone = 'Asia/Kathmandu'",
  "intervalstyle = 'iso_8601'",
  "bytea_output = 'escape'",
  "extra_float_digits = -10",
  "standard_conforming_strings = off",
  "lock_timeout = '20s'",
];

testDialect("postgres", {
  dialect: postgres,
  async database() {
    const name = await server().createDatabase();
    for (const setting of HOSTILE) await server().run(name, `alter database ${name} set ${setting}`);
    return {
      spec: server().spec(name),
      run: (sql) => server().run(name, sql),
      async [Symbol.asyncDispose]() {
        await server().run("postgres", `drop database ${name}`);
      },
    };
  },
  quote,
  types: TYPES,
  methods: ["record", "text64", "md5"],
  identity: "bigint generated always as identity primary key",
  generated: "integer generated always as (n + 1) stored",
  locksRows: true,
  deferredForeignKey: "deferrable",
  authenticates: true,
});
