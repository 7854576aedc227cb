import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { BatchCommitter } from "./commit_batch.ts";
import type { Write } from "./protocol.ts";
import { temporaryDirectory } from "./testing.ts";

const INSERT = "INSERT INTO things (id, body) VALUES (?, ?)";

function insert(id: number, body = "", durable = true): Write {
  return { statements: [{ sql: INSERT, parameters: [id, body] }], durable };
}

async function withDatabase(use: (database: DatabaseSync, committer: BatchCommitter) => void): Promise<void> {
  await using directory = await temporaryDirectory();
  const database = new DatabaseSync(`${directory.path}/test.db`);
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    database.exec("CREATE TABLE things (id INTEGER PRIMARY KEY, body TEXT) STRICT");
    use(database, new BatchCommitter(database));
  } finally {
    database.close();
  }
}

function idsOf(database: DatabaseSync): unknown[] {
  return database.prepare("SELECT id FROM things ORDER BY id").all().map(({ id }) => id);
}

Deno.test("a write that fails leaves no trace and does not stop the others", () =>
  withDatabase((database, committer) => {
    const half: Write = { statements: [...insert(3).statements, ...insert(1).statements], durable: true };
    const results = committer.commit([insert(1), half, insert(2)]);
    assert.deepEqual(results[0], { changes: [1] });
    assert.ok("failure" in results[1] && /UNIQUE/.test(results[1].failure));
    assert.deepEqual(results[2], { changes: [1] });
    assert.deepEqual(idsOf(database), [1, 2]);
  }));

Deno.test("a full disk fails the batch as a whole, and the next one works again", () =>
  withDatabase((database, committer) => {
    const limit = Number(database.prepare("PRAGMA page_count").get()?.page_count) + 4;
    database.exec(`PRAGMA max_page_count = ${limit}`);
    const results = committer.commit([insert(1), insert(2, "x".repeat(100_000)), insert(3)]);
    const kept = results.flatMap((result, index) => "changes" in result ? [index + 1] : []);
    assert.ok("failure" in results[1] && /full/.test(results[1].failure));
    assert.deepEqual(idsOf(database), kept);
    assert.equal(database.isTransaction, false);
    database.exec("PRAGMA max_page_count = 100000");
    assert.deepEqual(committer.commit([insert(4)]), [{ changes: [1] }]);
  }));

Deno.test("a commit that cannot begin fails every write of it", () =>
  withDatabase((database, committer) => {
    database.exec("BEGIN");
    const results = committer.commit([insert(1), insert(2)]);
    assert.ok(results.every((result) => "failure" in result));
    assert.deepEqual(idsOf(database), []);
    assert.deepEqual(committer.commit([insert(1)]), [{ changes: [1] }]);
  }));

Deno.test("the disk is waited for where one write of the batch is durable, and only then", () =>
  withDatabase((database, committer) => {
    const mode = () => database.prepare("PRAGMA synchronous").get()?.synchronous;
    const [NORMAL, FULL] = [1, 2];
    committer.commit([insert(1, "", false), insert(2, "", false)]);
    assert.equal(mode(), NORMAL);
    committer.commit([insert(3, "", false), insert(4)]);
    assert.equal(mode(), FULL);
    assert.deepEqual(idsOf(database), [1, 2, 3, 4]);
  }));
