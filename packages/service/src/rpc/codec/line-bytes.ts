import { writeUtf8 } from '@ts-micro/kit';

const newline = 0x0a;
/** No character of UTF-16 takes more bytes. */
const mostBytes = 3;
const shortText = 2048;
const slabBytes = 32 * 1024;
let slab = new Uint8Array(0);
let used = 0;

/** Returns a text and a newline as UTF-8. Short texts are not joined with the newline first. */
export function lineBytes(text: string): Uint8Array {
  if (text.length > shortText) return Buffer.from(`${text}\n`);
  const most = text.length * mostBytes + 1;
  if (used + most > slab.length) {
    slab = Buffer.allocUnsafeSlow(slabBytes);
    used = 0;
  }
  const start = used;
  used += writeUtf8(slab, text, start);
  slab[used++] = newline;
  return new Uint8Array(slab.buffer, start, used - start);
}
