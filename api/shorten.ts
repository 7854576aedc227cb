/** At most `most` characters of a client's text, with `…` where more followed. */
export function shorten(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
