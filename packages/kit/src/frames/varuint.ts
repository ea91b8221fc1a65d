/** How many bytes {@link writeVaruint} takes for a whole number from 0 to 2^53 - 1: seven bits each. */
export function sizeOfVaruint(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  let size = 3;
  for (let rest = Math.floor(value / 0x200000); rest > 0; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/**
 * Writes seven bits a byte, the low ones first, the high bit set on all but the last (LEB128); returns the offset after
 * it.
 */
export function writeVaruint(bytes: Uint8Array, offset: number, value: number): number {
  if (value < 0x80) {
    bytes[offset] = value;
    return offset + 1;
  }
  let end = offset;
  let rest = value;
  // Bitwise operators know 32 bits only.
  for (; rest > 0x7fffffff; rest = Math.floor(rest / 0x80)) bytes[end++] = (rest & 0x7f) | 0x80;
  for (; rest > 0x7f; rest >>>= 7) bytes[end++] = (rest & 0x7f) | 0x80;
  bytes[end++] = rest;
  return end;
}
