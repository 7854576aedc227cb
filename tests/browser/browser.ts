/** Debian's Chromium, driven by Playwright: the tests need no download of another browser. */
import { type BrowserContext, chromium } from "playwright-core";

const EXECUTABLE = "/usr/bin/chromium";
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

/** Throws where Chromium is not installed. */
export async function startBrowser(): Promise<Browser> {
  const installed = await Deno.stat(EXECUTABLE).then(() => true, () => false);
  if (!installed) {
    throw new Error(`Cannot test the pages: ${EXECUTABLE} is missing. Install it with: apt-get install chromium`);
  }
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
