import type { Random } from "./random.ts";

/** The directories at the top of the tree. */
export const TOP_DIRECTORIES: readonly string[] = [
  "Documents",
  "Downloads",
  "Music",
  "Pictures",
  "Videos",
  "Desktop",
  "src",
  "notes",
  ".cache",
  ".config",
  ".local",
  ".mozilla",
  "Übersicht",
  "写真",
];

const WORDS: readonly string[] = (
  "report index invoice draft main final photo album track module util server client test fixture data backup archive " +
  "letter budget summer trip house garden recipe kernel driver parser schema vendor assets build dist lib include " +
  "config session profile bookmark thumbnail icon font theme locale message chapter paper thesis figure plot sample " +
  "straße café naïve résumé данные отчёт 日本 メモ 音楽 한국 ελληνικά"
).split(" ");

const EXTENSIONS: readonly string[] = (
  "txt md pdf jpg png ts js json c h py rs go html css xml yaml toml log csv sqlite zip gz mp3 mp4 o so svg ini lock"
).split(" ");

/** A file's name: mostly two words and an extension; some hidden, with spaces, long, or without extension. */
export function fileName(random: Random): string {
  const extension = random.chance(0.07) ? "" : `.${random.pick(EXTENSIONS)}`;
  return `${random.chance(0.05) ? "." : ""}${stem(random)}${random.chance(0.6) ? random.int(100_000) : ""}${extension}`;
}

/** A directory's name, in the same manner. */
export function directoryName(random: Random): string {
  return `${random.chance(0.08) ? "." : ""}${stem(random)}${random.chance(0.3) ? random.int(1000) : ""}`;
}

function stem(random: Random): string {
  const separator = random.pick(["-", "_", "", " ", "."]);
  const words = random.chance(0.01) ? 12 : 1 + random.int(3);
  return Array.from({ length: words }, () => random.pick(WORDS)).join(separator);
}
