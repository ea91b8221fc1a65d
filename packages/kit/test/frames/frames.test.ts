import { readFileSync } from 'node:fs';
import type { Headers } from '@ts-micro/core';
import { describe, expect, test } from 'vitest';
import {
  frameKind,
  numbersFrame,
  readFrameHead,
  readFrameMessage,
  sizeOfMessageHead,
  writeMessageHead,
} from '../../src/frames/frame.ts';
import { writeHeaderBlock } from '../../src/frames/header-block.ts';
import { headerNames } from '../../src/frames/header-names.ts';
import { sizeOfVaruint, writeVaruint } from '../../src/frames/varuint.ts';

interface Golden {
  readonly frames: readonly {
    readonly name: string;
    readonly frame: string;
    readonly sequence?: number;
    readonly message?: { readonly headers: Headers; readonly text: string };
    readonly numbers?: readonly [number, ...number[]];
  }[];
  readonly malformed: readonly { readonly name: string; readonly frame: string }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL('golden/frames.json', import.meta.url), 'utf8'));

describe('golden frames', () => {
  for (const { name, frame, sequence = 0, message, numbers } of golden.frames) {
    test(`${name}: is written byte for byte`, () => {
      const written = message
        ? messageFrame(sequence, message.headers, Buffer.from(message.text))
        : numbersFrame(...(numbers as [number, ...number[]]));
      expect(Buffer.from(written).toString('hex')).toBe(frame.replaceAll(' ', ''));
    });

    test(`${name}: is read`, () => {
      const bytes = bytesOf(frame);
      const { kind, rest, ...head } = readFrameHead(bytes);
      if (message === undefined) {
        const [expected, ...values] = numbers as [number, ...number[]];
        expect(kind).toBe(expected);
        expect(numbersOf(kind, head)).toEqual(values);
      } else {
        expect(head.sequence).toBe(sequence);
        const { headers, body, frameBytes } = readFrameMessage(bytes, rest);
        expect({ headers, text: String(Buffer.from(body)) }).toEqual(message);
        expect(frameBytes).toBe(bytes.length);
      }
    });
  }
});

describe('malformed frames', () => {
  for (const { name, frame } of golden.malformed) {
    test(`${name} is refused`, () => {
      expect(() => read(bytesOf(frame))).toThrow(expect.objectContaining({ code: 'malformed' }));
    });
  }

  test('random bytes after the marker are read or refused, and nothing else happens', () => {
    let refused = 0;
    for (let round = 0; round < 5_000; round++) {
      const bytes = Buffer.allocUnsafe(1 + Math.floor(Math.random() * 40));
      for (let index = 0; index < bytes.length; index++) bytes[index] = Math.random() * 256;
      bytes[0] = 0xf5;
      if (round % 2 === 0 && bytes.length > 1) bytes[1] = 1 + (round % 5);
      // Mostly small numbers, which get further.
      if (round % 3 === 0)
        for (let index = 2; index < bytes.length; index++) bytes[index] = (bytes[index] as number) & 0x0f;
      try {
        read(bytes);
      } catch (error) {
        expect(error, bytes.toString('hex')).toMatchObject({ code: 'malformed' });
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(1000);
    expect(refused).toBeLessThan(5_000);
  });

  test('a frame cut short anywhere in its head is refused', () => {
    const whole = Buffer.from(messageFrame(300, { 'Content-Type': 'x', name: 'value' }, new Uint8Array(0)));
    for (let length = 1; length < whole.length; length++) {
      expect(() => read(whole.subarray(0, length))).toThrow(expect.objectContaining({ code: 'malformed' }));
    }
  });
});

describe('headers in a frame', () => {
  test('come as they were, whatever their names and values', () => {
    const odd = JSON.parse('{"__proto__":"a","constructor":"b","X":"","long":"","ünï":"☺"}');
    odd.long = 'é'.repeat(5000);
    for (const headers of [odd, { a: 'b' }, Object.fromEntries(headerNames.map((name) => [name, `${name}!`]))]) {
      if (headers === odd) delete odd.ünï;
      const bytes = messageFrame(0, headers, Buffer.from('x'));
      const message = read(bytes);
      expect(Object.entries(message?.headers ?? {})).toEqual(Object.entries(headers));
      expect(String(Buffer.from(message?.body ?? []))).toBe('x');
    }
  });

  test('that are frozen are written once, and others each time', () => {
    const frozen = Object.freeze({ a: '1' });
    expect(writeHeaderBlock(frozen, 'x')).toBe(writeHeaderBlock(frozen, 'x'));
    const changing: Record<string, string> = { a: '1' };
    const before = Buffer.from(writeHeaderBlock(changing, 'x'));
    changing.a = '2';
    expect(Buffer.from(writeHeaderBlock(changing, 'x'))).not.toEqual(before);
  });

  test('are checked', () => {
    for (const headers of [{ 'a b': 'c' }, { a: 'b\n' }, Object.freeze({ a: ' b' })]) {
      expect(() => writeHeaderBlock(headers, 'x')).toThrow(expect.objectContaining({ code: 'invalid' }));
    }
  });

  test('of equal bytes are the same frozen object, which nobody can change for others', () => {
    const [one, other] = [0, 1].map((sequence) => read(messageFrame(sequence, { a: 'b' }, new Uint8Array(0)))?.headers);
    expect(one).toBe(other);
    expect(Reflect.set(one ?? {}, 'a', 'changed')).toBe(false);
  });
});

test('numbers of every size are written in as many bytes as was said, and read back', () => {
  for (let power = 0; power <= 53; power++) {
    for (const value of [2 ** power - 1, 2 ** power, 2 ** power + 1].filter(Number.isSafeInteger)) {
      const bytes = new Uint8Array(12);
      const end = writeVaruint(bytes, 2, value);
      expect(end - 2).toBe(sizeOfVaruint(value));
      bytes[1] = frameKind.message;
      expect(readFrameHead(bytes)).toMatchObject({ sequence: value, rest: end });
    }
  }
});

test('no name is in the table twice, and the table fits one byte', () => {
  expect(new Set(headerNames).size).toBe(headerNames.length);
  expect(headerNames.length).toBeLessThan(128);
});

function messageFrame(sequence: number, headers: Headers, body: Uint8Array): Uint8Array {
  const block = writeHeaderBlock(headers, 'test');
  const bytes = new Uint8Array(sizeOfMessageHead(sequence, block) + body.length);
  bytes.set(body, writeMessageHead(bytes, sequence, block));
  return bytes;
}

/** Reads a frame as far as it can be read on its own. */
function read(bytes: Uint8Array) {
  const { kind, rest } = readFrameHead(bytes);
  return kind === frameKind.message ? readFrameMessage(bytes, rest) : undefined;
}

function numbersOf(kind: number, head: Omit<ReturnType<typeof readFrameHead>, 'kind' | 'rest'>): number[] {
  const { sequence, total, offset, messages, bytes } = head;
  if (kind === frameKind.close) return [sequence, messages];
  if (kind === frameKind.chunk) return [sequence, total, offset];
  return kind === frameKind.update ? [sequence, offset, messages, bytes] : [sequence, offset];
}

function bytesOf(hex: string): Uint8Array {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

describe('docs/native-dialect.md', () => {
  const text = readFileSync(new URL('../../../../docs/native-dialect.md', import.meta.url), 'utf8');

  test('has every sample', () => {
    for (const { name, frame } of [...golden.frames, ...golden.malformed]) {
      expect(text).toContain(`| ${name} | \`${frame}\` |`);
    }
  });

  test('has the table of names', () => {
    const listed = Array.from(text.matchAll(/(\d+)\s`([^`\s]+)`(?=\s·|\n)/g), ([, index, name]) => [
      Number(index),
      name,
    ]);
    expect(listed).toEqual(headerNames.map((name, index) => [index + 1, name]));
  });
});
