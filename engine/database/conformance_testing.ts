import { testCatalogue } from "./conformance/catalogue.ts";
import { testChecksums } from "./conformance/checksums.ts";
import { testErrors } from "./conformance/errors.ts";
import type { ConformanceOptions, Provided } from "./conformance/provided.ts";
import { testReading } from "./conformance/reading.ts";
import { testValues } from "./conformance/values.ts";
import { testWriting } from "./conformance/writing.ts";

export type { ConformanceOptions, TestDatabase, TypeExample } from "./conformance/provided.ts";

/** What every dialect must do, as tests of their own, each in a fresh database. */
export function testDialect(name: string, options: ConformanceOptions): void {
  const test = (title: string, body: (provided: Provided) => Promise<void>): void => {
    Deno.test(`${name}: ${title}`, async () => {
      await using database = await options.database();
      await using connection = await options.dialect.connect(database.spec, new AbortController().signal);
      await body({ options, database, connection, q: options.quote });
    });
  };
  testCatalogue(test);
  testReading(test);
  testChecksums(test);
  testWriting(test);
  testErrors(test);
  testValues(test);
}
