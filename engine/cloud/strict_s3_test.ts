/** S3 as Amazon's service does it where the emulators are lenient. */
import { testObjectStore } from "./conformance_testing.ts";
import type { S3Location } from "./object_store.ts";
import { s3Store } from "./s3_store.ts";
import { Bucket } from "../../tests/harness/strict_s3/bucket.ts";
import { startStrictS3, type StrictS3 } from "../../tests/harness/strict_s3/server.ts";

let strict: StrictS3;
let buckets = 0;

Deno.test.beforeAll(() => {
  strict = startStrictS3("bucket");
  for (const [name, value] of Object.entries(strict.env)) Deno.env.set(name, value);
});

Deno.test.afterAll(async () => await strict[Symbol.asyncDispose]());

/** An empty bucket. */
function location(): S3Location {
  const bucket = `bucket-${buckets++}`;
  strict.buckets.set(bucket, new Bucket());
  return { type: "s3", bucket, prefix: "", endpoint: strict.url, forcePathStyle: true };
}

testObjectStore(
  "strict s3",
  () => Promise.resolve({ store: s3Store(location()), [Symbol.asyncDispose]: () => Promise.resolve() }),
  { large: 5 * 2 ** 30 + 1 },
);
