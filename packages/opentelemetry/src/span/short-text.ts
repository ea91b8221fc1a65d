const longest = 2000;

/** Returns what a span keeps of a text that a peer may have chosen: spans wait in memory until they are exported. */
export function shortText(text: string, most: number = longest): string {
  return text.length > most ? `${text.slice(0, most)}...` : text;
}
