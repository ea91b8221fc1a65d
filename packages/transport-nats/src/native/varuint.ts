/** How many bytes {@link writeVaruint} takes for a whole number from 0 to 2^53 - 1: seven bits each. */
export function sizeOfVaruint(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** Writes seven bits a byte, the low ones first, the high bit set on all but the last (LEB128); returns the offset after it. */
export function writeVaruint(bytes: Uint8Array, offset: number, value: number): number {
  let end = offset;
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes[end++] = (rest & 0x7f) | 0x80;
  bytes[end++] = rest;
  return end;
}
