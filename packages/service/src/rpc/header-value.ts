/** A text as a header can carry it; what a peer sent may hold what may not be sent on. */
export function headerValue(text: string): string {
  return /[\r\n\0]|^\s|\s$/.test(text) ? text.replace(/[\r\n\0]+/g, ' ').trim() : text;
}
