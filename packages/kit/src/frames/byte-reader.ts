import { MicroError } from '@ts-micro/core';

/** The length of 2^53 - 1, at seven bits a byte. */
const longestVaruint = 8;

/** Reads numbers off bytes from left to right. One is used again and again, as nobody reads two frames at once. */
export class ByteReader {
  bytes: Uint8Array;
  position = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  start(bytes: Uint8Array, position: number): void {
    this.bytes = bytes;
    this.position = position;
  }

  /** Reads a number of at most eight bytes. Throws `malformed` past the end, beyond eight bytes, and above 2^53 - 1. */
  varuint(): number {
    const byte = this.bytes[this.position++];
    if (byte !== undefined && byte < 0x80) return byte;
    this.position--;
    let value = 0;
    let factor = 1;
    for (let count = 0; count < longestVaruint; count++) {
      const next = this.bytes[this.position++];
      if (next === undefined) throw malformed('it ends within a number');
      value += (next & 0x7f) * factor;
      if (next < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw malformed('a number is above 2^53 - 1');
        return value;
      }
      factor *= 128;
    }
    throw malformed(`a number has more than ${longestVaruint} bytes`);
  }

  /** A length, and that many bytes are there. Throws `malformed`. */
  length(): number {
    const length = this.varuint();
    if (this.position + length > this.bytes.length) throw malformed('it is shorter than a length in it says');
    return length;
  }
}

export function malformed(why: string): MicroError {
  return new MicroError('malformed', `frame: ${why}`);
}
