interface BufferInternals {
  latin1Slice?(this: Uint8Array, start: number, end: number): string;
  utf8Slice?(this: Uint8Array, start: number, end: number): string;
  base64Slice?(this: Uint8Array, start: number, end: number): string;
  utf8Write?(this: Uint8Array, text: string, offset: number, length?: number): number;
  latin1Write?(this: Uint8Array, text: string, offset: number, length?: number): number;
  base64Write?(this: Uint8Array, text: string, offset: number, length?: number): number;
}

// Node's own, which is not documented: it works on any bytes, where what is documented wants a Buffer made of them
// first, which takes twice as long for a short text.
const internals: BufferInternals = Buffer.prototype as unknown as BufferInternals;

type ReadText = (bytes: Uint8Array, start?: number, end?: number) => string;
type WriteText = (bytes: Uint8Array, text: string, offset: number) => number;

/** Returns the bytes from `start` (default 0) to `end` (default their length) as UTF-8 text. */
export const utf8Of: ReadText = reader('utf8', internals.utf8Slice);
/** Returns the bytes from `start` to `end` as text of one character a byte. */
export const latin1Of: ReadText = reader('latin1', internals.latin1Slice);
/** Returns the bytes from `start` to `end` in base64, with padding. */
export const base64Of: ReadText = reader('base64', internals.base64Slice);
/** Writes `text` as UTF-8 at `offset`, as much as there is room for, and returns how many bytes that took. */
export const writeUtf8: WriteText = writer('utf8', internals.utf8Write);
/** Writes `text` as one byte a character at `offset`, and returns how many bytes that took. */
export const writeLatin1: WriteText = writer('latin1', internals.latin1Write);
/** Writes the bytes of base64 at `offset`, without what is no base64, and returns how many there were. */
export const writeBase64: WriteText = writer('base64', internals.base64Write);

/** True for bytes whose buffer was transferred to another thread, or by `structuredClone`: reading them throws. */
export function isTransferred(bytes: Uint8Array): boolean {
  if (bytes.byteLength > 0) return false;
  try {
    new Uint8Array(bytes.buffer, 0, 0);
    return false;
  } catch {
    return true;
  }
}

function reader(encoding: BufferEncoding, own: BufferInternals['utf8Slice']): ReadText {
  if (own) return (bytes, start = 0, end = bytes.length) => own.call(bytes, start, end);
  return (bytes, start, end) => bufferOf(bytes).toString(encoding, start, end);
}

function writer(encoding: BufferEncoding, own: BufferInternals['utf8Write']): WriteText {
  if (own) return (bytes, text, offset) => own.call(bytes, text, offset, bytes.length - offset);
  return (bytes, text, offset) => bufferOf(bytes).write(text, offset, encoding);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
