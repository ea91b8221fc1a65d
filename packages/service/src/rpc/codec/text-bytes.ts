const { utf8Slice, utf8Write } = Buffer.prototype as unknown as {
  utf8Slice(this: Uint8Array, start: number, end: number): string;
  utf8Write(this: Uint8Array, text: string, offset: number): number;
};

const newline = 0x0a;
/** No character of UTF-16 takes more bytes. */
const mostBytes = 3;
const shortText = 2048;
const slabBytes = 32 * 1024;
let slab = new Uint8Array(0);
let used = 0;

/** A text as UTF-8 and a newline: what Buffer makes of both, without joining them first where they are short. */
export function lineBytes(text: string): Uint8Array {
  if (text.length > shortText) return Buffer.from(`${text}\n`);
  const most = text.length * mostBytes + 1;
  if (used + most > slab.length) {
    slab = Buffer.allocUnsafeSlow(slabBytes);
    used = 0;
  }
  const start = used;
  used += utf8Write.call(slab, text, start);
  slab[used++] = newline;
  return new Uint8Array(slab.buffer, start, used - start);
}

/**
 * UTF-8 as a text, on any bytes where Buffer's own method wants a Buffer made of them first. Throws where the text
 * would be too long.
 */
export function textOfBytes(bytes: Uint8Array): string {
  return utf8Slice.call(bytes, 0, bytes.length);
}
