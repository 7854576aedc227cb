/** Merges by lines against git and diff3, which many trust: where git merges, so do we, to the same, and where it does not, neither do we. */
import assert from "node:assert/strict";
import { withCommands } from "../../tests/harness/command.ts";
import { createRandom, type Random, testSeed } from "../../tests/harness/random.ts";
import { mergeText } from "./merge_text.ts";

const CASES = 1000;

interface Outcome {
  isClean: boolean;
  text: string;
}

async function outcomeOf(name: string, args: string[], cwd: string): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(name, { args, cwd }).output();
  // git tells how many conflicts there are, diff3 that there are some; what is above is a failure.
  assert.ok(code < 128 && (name === "git" || code < 2), `${name}: ${code} ${new TextDecoder().decode(stderr)}`);
  return { isClean: code === 0, text: new TextDecoder().decode(stdout) };
}

/** Lines of code: many of them equal, or few. */
function line(random: Random, equal: number): string {
  return random.below(10) < equal ? random.pick(["}", "", "  return;", "{", "x"]) : `line ${random.below(100_000)}`;
}

function edited(random: Random, lines: string[], equal: number, edits: number): string[] {
  const result = [...lines];
  const place = () => random.below(result.length + 1);
  for (let edit = 0; edit < edits; edit++) {
    const kind = random.below(6);
    if (kind === 0) result.splice(place(), 0, line(random, equal));
    else if (kind === 1) result.splice(place(), 1 + random.below(3));
    else if (kind < 4) result.splice(place(), 1, line(random, equal));
    else if (kind === 4) result.splice(place(), 0, ...result.slice(place()).slice(0, random.below(4)));
    else result.splice(place(), 0, ...result.splice(place(), random.below(4)));
  }
  return result;
}

function randomVersions(random: Random): string[] {
  const equal = random.pick([0, 0, 1, 3, 5, 9]);
  const base = Array.from({ length: random.below(random.pick([3, 12, 60])) }, () => line(random, equal));
  const edits = 1 + random.below(random.pick([2, 5]));
  const common = random.oneIn(5) ? edited(random, base, equal, 2) : base;
  const sides = [0, 1].map(() => edited(random, common, equal, edits));
  const end = random.pick(["\n", "\n", "\r\n"]);
  return [base, ...sides].map((lines) => lines.join(end) + (lines.length > 0 && !random.oneIn(10) ? end : ""));
}

Deno.test({
  ...withCommands(`${CASES} random merges against git and diff3`, ["git", "diff3"]),
  async fn() {
    const random = createRandom(testSeed("merges against git and diff3"));
    const directory = await Deno.makeTempDir({ prefix: "syncline-merge-" });
    let [clean, odd] = [0, 0];
    try {
      for (let index = 0; index < CASES; index++) {
        const versions = randomVersions(random);
        const [base, source, target] = versions.map((text) => new TextEncoder().encode(text));
        await Deno.writeFile(`${directory}/base`, base);
        await Deno.writeFile(`${directory}/source`, source);
        await Deno.writeFile(`${directory}/target`, target);
        const [git, diff3] = await Promise.all([
          outcomeOf("git", ["merge-file", "-p", "source", "base", "target"], directory),
          outcomeOf("diff3", ["-m", "-E", "source", "base", "target"], directory),
        ]);
        const merge = mergeText(base, source, target);
        const message = `case ${index}: ${JSON.stringify(versions)}`;
        assert.equal(merge.isClean, git.isClean, message);
        if (!merge.isClean) continue;
        const text = new TextDecoder().decode(merge.render("SourceWins"));
        assert.equal(text, git.text, message);
        // Of a line that is there twice, one of them may take the other for the new one.
        if (diff3.isClean && diff3.text !== text) odd++;
        clean++;
      }
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
    assert.ok(odd <= CASES / 100, `${odd} merged otherwise than diff3`);
    assert.ok(clean > CASES / 4 && clean < CASES, `${clean} of ${CASES} merged without a conflict`);
  },
});
