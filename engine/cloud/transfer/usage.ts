import type { CloudLocation } from "../object_store.ts";
import type { CloudOperations } from "./types.ts";

/** Older figures are measured again, in ms. */
const FRESH_MS = 600_000;
/** A measurement is not begun again sooner than this many times what the last took. */
const SHARE = 20;

export type CloudProvider = "s3" | "azure" | "local";

export interface UsageParts {
  operations: Pick<CloudOperations, "list">;
  places: readonly { provider: CloudProvider; location: CloudLocation }[];
  store(provider: CloudProvider, bytes: number): Promise<void>;
  report(message: string, error: unknown): void;
}

/** Measures how much the configured stores hold, by listing them, when somebody asks and the last measurement is old. */
export class CloudUsage {
  #measuredAt = -Infinity;
  #tookMs = 0;
  #measuring: Promise<void> | undefined;

  constructor(private readonly parts: UsageParts) {}

  /** To be called when something was stored or deleted. */
  changed(): void {
    this.#measuredAt = Math.min(this.#measuredAt, performance.now() - FRESH_MS);
  }

  /** Resolves once the stored figures are fresh, or after `ms`. Never rejects. */
  async refresh(ms: number): Promise<void> {
    if (this.parts.places.length === 0) return;
    const age = performance.now() - this.#measuredAt;
    if (this.#measuring === undefined && (age < FRESH_MS || age < SHARE * this.#tookMs)) return;
    this.#measuring ??= this.#measure();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
    await Promise.race([this.#measuring, late]);
    clearTimeout(timer);
  }

  async #measure(): Promise<void> {
    const startedAt = performance.now();
    this.#measuredAt = startedAt;
    for (const { provider, location } of this.parts.places) {
      try {
        const { totalBytes } = await this.parts.operations.list(location, { prefix: "", limit: 0 });
        await this.parts.store(provider, totalBytes);
      } catch (error) {
        this.parts.report(`Cannot measure what ${provider} holds`, error);
      }
    }
    this.#tookMs = performance.now() - startedAt;
    this.#measuring = undefined;
  }
}
