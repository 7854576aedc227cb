import assert from "node:assert/strict";
import { createRandom, type Random, testSeed } from "../../../tests/harness/random.ts";
import { DatabaseError } from "../error.ts";
import type { SyncDatabaseRequest } from "../request.ts";
import type { ForeignKey, Row, Table } from "../types.ts";
import { type MemoryDatabase, memoryTable } from "../testing/memory_database.ts";
import { World } from "../testing/world.ts";

const ROUNDS = 20;

/** Parents, children that refer to them and to each other, and rows without a key. */
function randomTables(random: Random): Table[] {
  const refer = (name: string, column: string, table: string): ForeignKey => ({
    name,
    columns: [column],
    table,
    referenced: ["id"],
    deferrable: random.oneIn(3),
    onDelete: random.pick(["no action", "cascade"]),
  });
  const parents = memoryTable("parents", ["id#", "code?", "text?"], { unique: random.oneIn(2) ? [["code"]] : [] });
  const children = memoryTable("children", ["id#", "lang", "parent#?", "friend#?", "text?"], {
    key: ["id"],
    foreignKeys: [refer("p", "parent", "parents"), refer("f", "friend", "children")],
  });
  const loose = memoryTable("loose", ["a?", "b#?"], { key: [] });
  const words = memoryTable("words", ["word", "lang", "text?"], { key: ["word", "lang"] });
  return [children, loose, parents, words].filter(() => !random.oneIn(4));
}

/** Changes rows in a way that every constraint allows. */
function edit(database: MemoryDatabase, random: Random, edits: number): void {
  const ids = (name: string) => (database.rows.get(name) ?? []).map(([id]) => id);
  const some = (name: string) => {
    const list = ids(name);
    return list.length === 0 || random.oneIn(4) ? null : random.pick(list);
  };
  const text = () => random.oneIn(8) ? null : `t${random.below(1000)}`;
  const make: Record<string, (old?: Row) => Row> = {
    parents: (old) => [old?.[0] ?? String(random.below(700)), random.oneIn(5) ? null : `c${random.below(500)}`, text()],
    children: (old) => [
      old?.[0] ?? String(random.below(700)),
      random.pick(["en", "de"]),
      some("parents"),
      some("children"),
      text(),
    ],
    loose: () => [text(), random.oneIn(3) ? null : String(random.below(5))],
    words: (old) => [old?.[0] ?? `w${random.below(300)}`, old?.[1] ?? random.pick(["en", "de"]), text()],
  };
  for (let n = 0; n < edits; n++) {
    const table = random.pick([...database.tables.values()]);
    const rows = database.rows.get(table.id) as Row[];
    const before = [...rows];
    const at = random.below(Math.max(1, rows.length));
    const kind = random.below(rows.length < 300 ? 8 : 3);
    if (kind === 0 && rows.length > 0) rows.splice(at, 1);
    else if (kind === 1 && rows.length > 0) rows[at] = make[table.id](rows[at]);
    else rows.push(make[table.id]());
    if (!isSound(database)) database.rows.set(table.id, before);
  }
}

function isSound(database: MemoryDatabase): boolean {
  for (const table of database.tables.values()) {
    const rows = database.rows.get(table.id) as Row[];
    const at = (names: string[]) => names.map((name) => table.columns.findIndex((column) => column.name === name));
    for (const names of [table.key, ...table.unique].filter(({ length }) => length > 0)) {
      const values = rows.map((row) => at(names).map((i) => row[i])).filter((row) => !row.includes(null));
      if (new Set(values.map((row) => JSON.stringify(row))).size < values.length) return false;
    }
    for (const { columns, table: parent } of table.foreignKeys) {
      if (!database.tables.has(parent)) continue;
      const there = new Set((database.rows.get(parent) as Row[]).map(([id]) => id));
      const [i] = at(columns);
      if (rows.some((row) => row[i] !== null && !there.has(row[i] as string))) return false;
    }
  }
  return true;
}

function copyRows(from: MemoryDatabase, to: MemoryDatabase): void {
  to.rows = new Map([...from.rows].map(([name, rows]) => [name, rows.map((row) => [...row])]));
}

class Killed extends Error {}

/** Makes everything fail from a random moment on, as when the process is killed; or once, as a server does. */
function breakSometimes(world: World, random: Random): () => boolean {
  let left = random.below(60);
  let isDead = false;
  const kill = random.oneIn(2);
  const before = (operation: string) => {
    if (operation.startsWith("close") || operation.startsWith("end")) return;
    if (isDead) throw new Killed();
    if (left-- !== 0) return;
    isDead = kill;
    if (kill) throw new Killed();
    const kind = operation === "committed" ? "connection" : random.pick(["deadlock", "connection", "other"] as const);
    throw new DatabaseError(kind, "it failed", { aborts: true });
  };
  world.source.before = world.target.before = before;
  return () => {
    world.source.before = world.target.before = () => {};
    return left < 0;
  };
}

Deno.test("random tables, edits, failures and kills: the target becomes the source, and nobody's change is invented", async () => {
  const random = createRandom(testSeed("database synchronisation, one way"));
  for (let round = 0; round < ROUNDS; round++) {
    await using world = await World.open();
    const tables = randomTables(random);
    for (const table of tables) {
      world.source.add(table, []);
      world.target.add(table, []);
    }
    if (tables.length === 0) continue;
    const names = tables.map(({ id }) => id);
    edit(world.source, random, 500);
    if (random.oneIn(2)) copyRows(world.source, world.target);
    if (random.oneIn(2)) edit(world.target, random, 50);
    let edited = false;
    let hasBaseline = false;
    for (let step = 0; step < 5; step++) {
      const options: Partial<SyncDatabaseRequest> = {
        useTransactions: random.oneIn(2),
        batchSize: random.pick([3, 50, 10_000]),
        maxDelete: 100_000,
      };
      const before = JSON.stringify([...world.target.rows]);
      const commits = count(world.target.calls, "committed");
      const restore = random.oneIn(3) ? breakSometimes(world, random) : () => false;
      const note = `round ${round}, step ${step}, ${JSON.stringify(options)}`;
      const result = await world.sync(names, options).catch((error) => {
        if (!restore()) throw new Error(note, { cause: error });
        return undefined;
      });
      restore();
      if (result === undefined) {
        const isWritten = count(world.target.calls, "committed") > commits;
        if (options.useTransactions && !isWritten) assert.equal(JSON.stringify([...world.target.rows]), before, note);
      } else {
        if (result.errors.length === 0) {
          for (const name of names) {
            const [is, shall] = [world.target, world.source].map((database) => database.sorted(name).map(String));
            const wrong = [is.filter((row) => !shall.includes(row)), shall.filter((row) => !is.includes(row))];
            assert.deepEqual(wrong, [[], []], `${note}, ${name}`);
            assert.equal(is.length, shall.length, `${note}, ${name}`);
          }
        } else {
          const injected = result.errors.every((error) => /it failed|refer to them could not/.test(error));
          assert.ok(!options.useTransactions && injected, `${note}: ${result.errors}`);
        }
        const mayConflict = edited && hasBaseline;
        assert.ok(mayConflict || result.conflicts.length === 0, `${note} ${JSON.stringify(result.conflicts[0])}`);
        hasBaseline = true;
        edited = result.errors.length > 0 && edited;
      }
      edit(world.source, random, random.below(40));
      if (random.oneIn(3)) {
        edit(world.target, random, 1 + random.below(20));
        edited = true;
      }
    }
  }
});

Deno.test("random edits on both sides, two-way: each ends where the rule says, whatever fails between", async () => {
  const random = createRandom(testSeed("database synchronisation, two-way"));
  for (let round = 0; round < ROUNDS; round++) {
    await using world = await World.open();
    const words = memoryTable("words", ["word", "lang", "text?"], { key: ["word", "lang"] });
    for (const database of [world.source, world.target]) {
      database.add(words, []);
      edit(database, random, 200);
    }
    const conflictStrategy = random.pick(["SourceWins", "TargetWins", "Manual"] as const);
    const options = { direction: "two-way", conflictStrategy, maxDelete: 100_000 } as const;
    let base = new Map<string, string>();
    for (let step = 0; step < 6; step++) {
      const [s, t] = [byKey(world.source), byKey(world.target)];
      const restore = random.oneIn(3) ? breakSometimes(world, random) : () => false;
      const useTransactions = random.oneIn(2);
      let isDone = true;
      try {
        await world.sync(["words"], { ...options, useTransactions, batchSize: random.pick([3, 10_000]) });
      } catch (error) {
        isDone = false;
        if (!restore()) throw error;
      }
      restore();
      if (!isDone) await world.sync(["words"], options);
      const note = `round ${round}, step ${step}, ${conflictStrategy}`;
      const [s2, t2] = [byKey(world.source), byKey(world.target)];
      for (const key of new Set([...s.keys(), ...t.keys(), ...base.keys()])) {
        const [a, b] = merged(s.get(key), t.get(key), base.get(key), conflictStrategy);
        const words = `${note}: ${key} was ${s.get(key)}, ${t.get(key)}, ${base.get(key)} before`;
        assert.deepEqual([s2.get(key), t2.get(key)], [a, b], words);
        if (a !== b) continue;
        if (a === undefined) base.delete(key);
        else base.set(key, a);
      }
      base = new Map([...base].filter(([key]) => s2.has(key) || t2.has(key)));
      edit(world.source, random, random.below(40));
      edit(world.target, random, random.below(40));
    }
  }
});

function count(calls: string[], name: string): number {
  return calls.filter((call) => call === name).length;
}

function byKey(database: MemoryDatabase): Map<string, string> {
  return new Map(database.rows.get("words")?.map((row) => [`${row[0]} ${row[1]}`, String(row[2])]));
}

/** What both sides shall have, by the rule in words. */
function merged(s: string | undefined, t: string | undefined, base: string | undefined, strategy: string) {
  if (s === t || s === base) return [t, t];
  if (t === base) return [s, s];
  if (strategy === "Manual") return [s, t];
  if (s === undefined || t === undefined) return [s ?? t, s ?? t];
  return strategy === "SourceWins" ? [s, s] : [t, t];
}
