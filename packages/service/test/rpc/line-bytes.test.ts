import { describe, expect, it } from 'vitest';
import { lineBytes } from '../../src/rpc/codec/line-bytes.ts';

describe('a line as bytes', () => {
  it('is its UTF-8 and a newline, of any length, and stays so while others are made', () => {
    const texts = Array.from({ length: 3000 }, (_, length) => `${length} ${'aé漢😀\ud800'.repeat(length % 700)}`);
    const lines = texts.map(lineBytes);
    texts.forEach((text, index) => {
      const expected = Buffer.from(`${text}\n`);
      if (!expected.equals(lines[index] as Uint8Array)) expect(lines[index]).toEqual(new Uint8Array(expected));
    });
    expect(texts.map((text) => Buffer.from(lineBytes(text)).toString()).join('')).toBe(
      Buffer.from(texts.map((text) => `${text}\n`).join('')).toString(),
    );
  });
});
