/** What a body of JSON may have: a parser takes about half a second, and 50 MB, for so many. */
export const mostJsonParts = 1_000_000;

/**
 * Whether JSON has more objects and lists than `most`, seen without making any: a parser takes some hundred times as
 * long to make those of a hostile text.
 */
export function hasMoreParts(json: Uint8Array, most: number): boolean {
  // Each is begun and ended.
  if (json.length <= 2 * most) return false;
  let parts = 0;
  let isText = false;
  for (let index = 0; index < json.length; index++) {
    const byte = json[index];
    if (isText) {
      if (byte === 0x5c) index++;
      else if (byte === 0x22) isText = false;
    } else if (byte === 0x22) isText = true;
    else if ((byte === 0x5b || byte === 0x7b) && ++parts > most) return true;
  }
  return false;
}
