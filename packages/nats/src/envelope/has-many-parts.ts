// An envelope has two, and what others add to one few more.
const mostParts = 1000;

/**
 * Whether JSON has more than a thousand objects and lists, seen without making any: a parser takes some hundred times
 * as long to make those of a hostile text.
 */
export function hasManyParts(bytes: Uint8Array): boolean {
  let parts = 0;
  let isText = false;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    if (isText) {
      if (byte === 0x5c) index++;
      else if (byte === 0x22) isText = false;
    } else if (byte === 0x22) isText = true;
    else if ((byte === 0x5b || byte === 0x7b) && ++parts > mostParts) return true;
  }
  return false;
}
