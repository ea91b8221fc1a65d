import { describe, expect, test } from 'vitest';
// Not exported by the package: nobody else has a use for it.
import { WriteBuffer } from '../src/vendor/write-buffer.ts';

const none = new Uint8Array(0);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const drained = (buffer: WriteBuffer): string => new TextDecoder().decode(buffer.drain());

describe('what waits to be written', () => {
  test('is what was filled in, in order', () => {
    const buffer = new WriteBuffer(() => true);
    buffer.fill(bytes('PING'), bytes('\r\n'));
    buffer.fillMessage('a.b', undefined, none, bytes('hello'));
    buffer.fillMessage('ü', '_INBOX.1', bytes('NATS/1.0\r\n\r\n'), none);
    buffer.fillMessage('c', undefined, none, bytes('body'), bytes('head '));
    expect(buffer.size()).toBe(buffer.length());
    const text = 'PING\r\nPUB a.b 5\r\nhello\r\nHPUB ü _INBOX.1 12 12\r\nNATS/1.0\r\n\r\n\r\nPUB c 9\r\nhead body\r\n';
    expect(drained(buffer)).toBe(text);
    expect(buffer.size()).toBe(0);
  });

  test('is as it was filled in where many messages go to one subject, whatever comes between', () => {
    const buffer = new WriteBuffer(() => true);
    let expected = '';
    const fill = (subject: string, reply: string | undefined, size: number) => {
      const data = 'x'.repeat(size);
      buffer.fillMessage(subject, reply, none, bytes(data));
      expected += `PUB ${subject}${reply === undefined ? '' : ` ${reply}`} ${size}\r\n${data}\r\n`;
    };
    for (const size of [0, 1, 9, 10, 99, 100, 101, 12_345]) fill('ü.b', undefined, size);
    for (const reply of ['_INBOX.1', '_INBOX.1', '_INBOX.1', undefined, '_INBOX.2', '_INBOX.2']) fill('ü.b', reply, 7);
    buffer.fillMessage('ü.b', '_INBOX.2', bytes('NATS/1.0\r\n\r\n'), none);
    fill('c', '_INBOX.2', 3);
    const headed = 'HPUB ü.b _INBOX.2 12 12\r\nNATS/1.0\r\n\r\n\r\n';
    expect(drained(buffer)).toBe(expected.replace('PUB c', `${headed}PUB c`));
  });

  test('does not change with the bytes it was made of', () => {
    const buffer = new WriteBuffer(() => true);
    const data = bytes('hello');
    buffer.fillMessage('a', undefined, none, data);
    data.fill(0);
    expect(drained(buffer)).toBe('PUB a 5\r\nhello\r\n');
  });

  test('has nothing of a message whose bytes cannot be read', () => {
    const buffer = new WriteBuffer(() => true);
    const data = bytes('hello');
    structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
    buffer.fillMessage('a', undefined, none, bytes('one'));
    for (const prefix of [undefined, bytes('head')])
      expect(() => buffer.fillMessage('a', undefined, none, data, prefix)).toThrow(TypeError);
    buffer.fillMessage('a', undefined, none, bytes('two'));
    expect(drained(buffer)).toBe('PUB a 3\r\none\r\nPUB a 3\r\ntwo\r\n');
  });

  test('is forgotten by a reset', () => {
    const buffer = new WriteBuffer(() => true);
    buffer.fill(bytes('SUB a 1\r\n'));
    buffer.reset();
    expect(buffer.length()).toBe(0);
    buffer.fill(bytes('PING\r\n'));
    expect(drained(buffer)).toBe('PING\r\n');
  });

  test('may be larger than usual', () => {
    const buffer = new WriteBuffer(() => false);
    buffer.fill(bytes('SUB a 1\r\n'));
    const large = new Uint8Array(1024 * 1024).fill(0x78);
    buffer.fillMessage('a', undefined, none, large);
    buffer.fillMessage('b', undefined, none, bytes('last'));
    const expected = `SUB a 1\r\nPUB a 1048576\r\n${'x'.repeat(large.length)}\r\nPUB b 4\r\nlast\r\n`;
    // Not compared as texts, of which a failure would print a megabyte.
    expect(drained(buffer) === expected).toBe(true);
  });
});

describe('memory', () => {
  const line = bytes('PING\r\n');

  test('is used again once it was written', () => {
    const buffer = new WriteBuffer(() => true);
    buffer.fill(line);
    const first = buffer.drain();
    buffer.fill(line);
    const second = buffer.drain();
    expect([second.buffer, second.byteOffset]).toEqual([first.buffer, first.byteOffset]);
  });

  test('is left alone while it is being written', () => {
    const buffer = new WriteBuffer(() => false);
    const written: Uint8Array[] = [];
    for (let count = 0; count < 100_000; count++) {
      buffer.fill(bytes(`${String(count).padStart(6, '0')}\n`));
      written.push(buffer.drain());
    }
    const all = Buffer.concat(written).toString().trimEnd().split('\n').map(Number);
    expect(all).toEqual(Array.from({ length: 100_000 }, (_, count) => count));
  });

  test('grown for a large message is used again for others, and let go of where small ones follow', () => {
    const buffer = new WriteBuffer(() => true);
    const large = new Uint8Array(1024 * 1024);
    buffer.fill(large);
    const grown = buffer.drain().buffer;
    for (let count = 0; count < 3; count++) {
      buffer.fill(large);
      expect(buffer.drain().buffer).toBe(grown);
    }
    for (let count = 0; count < 1000; count++) {
      buffer.fill(line);
      buffer.drain();
    }
    buffer.fill(line);
    expect(buffer.drain().buffer.byteLength).toBeLessThan(large.length);
  });

  test('beyond 4 MiB is let go of once it was written', () => {
    const buffer = new WriteBuffer(() => true);
    buffer.fill(new Uint8Array(5 * 1024 * 1024));
    buffer.drain();
    buffer.fill(line);
    expect(buffer.drain().buffer.byteLength).toBeLessThan(1024 * 1024);
  });
});
