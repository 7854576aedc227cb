/** Whether a `Prefer` header (RFC 7240) asks for an answer at once, before the work is done. */
export function prefersAsync(prefer: string | undefined): boolean {
  if (prefer === undefined) return false;
  return prefer.split(",").some((preference) => preference.split(";")[0].trim().toLowerCase() === "respond-async");
}
