import { Cron } from "croner";

/** Why a cron expression or a time zone cannot be used, in words for the one who wrote it; undefined where they can. */
export function cronFault(cron: string, timeZone: string): { field: "cron" | "timeZone"; fault: string } | undefined {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
  } catch {
    return { field: "timeZone", fault: "must be an IANA time zone, such as Europe/Berlin" };
  }
  try {
    if (nextTime(cron, timeZone, Date.now()) !== null) return undefined;
    return { field: "cron", fault: "never comes true" };
  } catch (error) {
    const words = error instanceof Error ? error.message.replace(/^Cron\w+: /, "") : String(error);
    return { field: "cron", fault: `must be a cron expression of five fields, such as 0 3 * * *: ${words}` };
  }
}

/**
 * The first time after another at which an expression comes true, in milliseconds since 1970; null where there is none. A time that
 * a change of the clocks leaves out comes right after it.
 */
export function nextTime(cron: string, timeZone: string, after: number): number | null {
  return new Cron(cron, { timezone: timeZone, mode: "5-part", paused: true }).nextRun(new Date(after))?.getTime() ??
    null;
}
