const oddBytes: readonly number[] = [0, 1, 0x7f, 0x80, 0xff, 0xf5, 0x22, 0x7b, 0x7d, 0x2c, 0x3a, 0x0a, 0x0d, 0x20];
const oddTexts: readonly string[] = [
  '__proto__',
  '1e999',
  '-1',
  '"',
  '\\u0000',
  '[[[[',
  'null',
  '{"',
  '://',
  '@',
  ',,',
  '%',
  '\n---',
];
const oddNumbers: readonly string[] = [
  'ffffffffffffff0f',
  'ffffffffffffff7f',
  '8080808080808000',
  'ffffffff0f',
  '808001',
];
const odd: readonly Uint8Array[] = [
  ...oddTexts.map((text) => Buffer.from(text)),
  ...oddNumbers.map((hex) => Buffer.from(hex, 'hex')),
];

/** Makes payloads of others: with one seed and one corpus always the same ones. */
export class Mutator {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  /** Takes one of the payloads and changes it in one to six places. */
  mutate(payloads: readonly Uint8Array[], mostBytes: number): Uint8Array {
    let bytes: Uint8Array = Uint8Array.from(this.#one(payloads));
    for (let times = this.#below(6); times >= 0; times--) bytes = this.#change(bytes, payloads);
    return bytes.subarray(0, mostBytes);
  }

  #change(bytes: Uint8Array, payloads: readonly Uint8Array[]): Uint8Array {
    const at = this.#below(bytes.length + 1);
    const end = Math.min(bytes.length, at + 1 + this.#below(16));
    switch (this.#below(9)) {
      case 0:
        return replaced(bytes, at, at + 1, Uint8Array.of(this.#one(oddBytes)));
      case 1:
        return replaced(bytes, at, at + 1, Uint8Array.of(this.#below(256)));
      case 2:
        return replaced(bytes, at, at + 1, Uint8Array.of((bytes[at] ?? 0) ^ (1 << this.#below(8))));
      case 3:
        return replaced(bytes, at, end, new Uint8Array(0));
      case 4:
        return replaced(bytes, at, at, bytes.subarray(at, end));
      case 5:
        return replaced(bytes, at, this.#below(2) === 0 ? at : end, this.#one(odd));
      case 6:
        return bytes.subarray(0, at);
      case 7: {
        const other = this.#one(payloads);
        return replaced(bytes, at, bytes.length, other.subarray(this.#below(other.length + 1)));
      }
      default: {
        const other = this.#one(payloads);
        const from = this.#below(other.length + 1);
        return replaced(bytes, at, end, other.subarray(from, from + 1 + this.#below(32)));
      }
    }
  }

  #one<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T;
  }

  /** A whole number from 0 to `limit - 1`, by xorshift. */
  #below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state % limit;
  }
}

function replaced(bytes: Uint8Array, start: number, end: number, by: Uint8Array): Uint8Array {
  return Uint8Array.from(Buffer.concat([bytes.subarray(0, start), by, bytes.subarray(end)]));
}
