/** Debian's Chromium, driven by Playwright: the tests need no download of another browser. */
import { type BrowserContext, chromium } from "playwright-core";

const EXECUTABLE = "/usr/bin/chromium";
const MISSING = await Deno.stat(EXECUTABLE).then(() => false, () => true);
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A browser with a profile of its own, which goes with it. */
export interface Browser extends AsyncDisposable {
  readonly context: BrowserContext;
}

/** Spread into a test that needs a browser: where there is none it is skipped, and its name says what to install. */
export function inBrowser(name: string): { name: string; ignore: boolean } {
  return MISSING
    ? { name: `${name} (needs a browser: apt-get install chromium)`, ignore: true }
    : { name, ignore: false };
}

export async function startBrowser(): Promise<Browser> {
  const profile = await Deno.makeTempDir({ prefix: "syncline-browser-" });
  const remove = () => Deno.remove(profile, { recursive: true });
  try {
    const options = { executablePath: EXECUTABLE, headless: true, args: FLAGS };
    const context = await chromium.launchPersistentContext(profile, options);
    return {
      context,
      async [Symbol.asyncDispose]() {
        await context.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
