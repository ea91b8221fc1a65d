import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import { type FuzzTarget, fuzz, must } from '@ts-micro-tools/fuzz';
import { describe, expect, test } from 'vitest';
import type { VendorConnection } from '../src/link/vendor-connection.ts';
// Not exported by the package: nobody else has a use for it.
import { readMessages } from '../src/vendor/message-reader.ts';
import { MessageLine } from '../src/vendor/whole-message.ts';

interface Operation {
  readonly kind: number;
  readonly msg?: {
    readonly subject: Uint8Array;
    readonly reply?: Uint8Array;
    readonly sid: number;
    readonly hdr: number;
    readonly size: number;
  };
  readonly data?: Uint8Array;
}

interface Parser {
  parse(bytes: Uint8Array): void;
  /** Takes bytes of a payload past the parser, and returns how many. */
  takePayload?(bytes: Uint8Array): number;
}

const load = createRequire(import.meta.url);
const { Parser } = load('nats/lib/nats-base-client/parser.js') as {
  readonly Parser: new (dispatcher: { push(operation: Operation): void }) => Parser;
};

/** What a parser told of: the same for two that read alike. */
function recorder(): { readonly told: unknown[]; readonly parser: Parser } {
  const told: unknown[] = [];
  const textOf = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('latin1');
  const push = ({ kind, msg, data }: Operation) => {
    const line = msg && [textOf(msg.subject), textOf(msg.reply), msg.sid, msg.hdr, msg.size];
    told.push([kind, line, textOf(data)]);
  };
  return { told, parser: new Parser({ push }) };
}

function readerOf(parser: Parser): Parser {
  const protocol = { parser };
  readMessages({ protocol } as unknown as VendorConnection);
  return protocol.parser;
}

/** One on a transport of ours, which does not keep what it hands over. */
function passingReaderOf(parser: Parser): Parser {
  const protocol = { parser, transport: { takePayload: (_bytes: Uint8Array) => 0 } };
  readMessages({ protocol } as unknown as VendorConnection);
  return {
    parse: (bytes) => protocol.parser.parse(bytes),
    takePayload: (bytes) => {
      const given = Buffer.from(bytes);
      const taken = protocol.transport.takePayload(given);
      given.fill('?');
      return taken;
    },
  };
}

/** Feeds `bytes` in parts that are so long, again and again. Returns what was told until an error. */
function feed({ told, parser }: ReturnType<typeof recorder>, bytes: Uint8Array, lengths: readonly number[]): unknown[] {
  try {
    for (let at = 0, part = 0; at < bytes.length; part++) {
      const length = Math.max(1, lengths[part % lengths.length] ?? bytes.length);
      const given = bytes.subarray(at, at + length);
      const taken = parser.takePayload?.(given) ?? 0;
      if (taken < given.length) parser.parse(Buffer.from(given.subarray(taken)));
      at += length;
    }
  } catch {
    told.push('error');
  }
  return told;
}

function read(bytes: Uint8Array, lengths: readonly number[] = []): unknown[] {
  const { told, parser } = recorder();
  return feed({ told, parser: readerOf(parser) }, bytes, lengths);
}

function readPassing(bytes: Uint8Array, lengths: readonly number[] = []): unknown[] {
  const { told, parser } = recorder();
  return feed({ told, parser: passingReaderOf(parser) }, bytes, lengths);
}

function readByClient(bytes: Uint8Array, lengths: readonly number[] = []): unknown[] {
  return feed(recorder(), bytes, lengths);
}

const payload = 'x'.repeat(9000);
const streams = {
  messages: 'MSG a 1 5\r\nhello\r\nMSG ü.b 12 _INBOX.1 0\r\n\r\nMSG a 1 7 3\r\nabc\r\n',
  'messages with headers':
    'HMSG a 1 12 17\r\nNATS/1.0\r\n\r\nhello\r\nHMSG a 1 r 12 12\r\nNATS/1.0\r\n\r\n\r\nHMSG a 1 0 0\r\n\r\n',
  'large messages': `MSG a 1 9000\r\n${payload}\r\nMSG a 1 r 9000\r\n${payload}\r\nMSG a 1 1\r\ny\r\n`,
  'line ends in payloads': 'MSG a 1 10\r\nMSG a 1 1\r\r\nMSG a 1 6\r\n\r\nM\r\nG\r\nMSG a 1 2\r\n\r\n\r\n',
  'other operations between':
    'PING\r\nMSG a 1 1\r\nx\r\nPONG\r\n+OK\r\nMSG a 1 1\r\nx\r\n-ERR \'no\'\r\nINFO {"a":1}\r\nPING\r\n',
  'other spelling':
    'msg a 1 1\r\nx\r\nMSG  a  1  1\r\nx\r\nMSG\ta\t1\tr\t1\r\nx\r\nMSG a 1 1 \r\nx\r\nMSG a 1 1\nx\nPING\n',
  'numbers with zeros': 'MSG a 007 01\r\nx\r\nMSG a 0 0000000000000001\r\nx\r\nMSG a 1 00\r\n\r\n',
} as const;
const faults = {
  'a payload longer than its line says': 'MSG a 1 2\r\nhello\r\nMSG a 1 1\r\nx\r\n',
  'a payload shorter than its line says': 'MSG a 1 9\r\nhello\r\nMSG a 1 1\r\nx\r\n',
  'no number': 'MSG a 1 1\r\nx\r\nMSG a x 1\r\nx\r\n',
  'a negative number': 'MSG a 1 -1\r\nx\r\n',
  'too few words': 'MSG a 1\r\nx\r\n',
  'too many words': 'MSG a 1 b c 1\r\nx\r\n',
  'more headers than bytes': 'HMSG a 1 5 1\r\nx\r\n',
  'headers without their length': 'HMSG a 1 5\r\nhello\r\n',
  'an unknown operation': 'MSG a 1 1\r\nx\r\nNOP\r\nMSG a 1 1\r\nx\r\n',
  'control characters': 'MSG a\u0001b 1 1\r\nx\r\nMSG a\rb 1 1\r\nx\r\n',
} as const;
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text));

describe('the reader of messages', () => {
  describe.each(Object.entries({ ...streams, ...faults }))('%s', (_name, text) => {
    const bytes = bytesOf(text);

    test('are read as by the client, whole', () => {
      expect(read(bytes)).toEqual(readByClient(bytes));
    });

    test('are read as by the client, cut at any place', () => {
      for (let at = 1; at < Math.min(bytes.length, 300); at++)
        expect([at, read(bytes, [at, bytes.length])]).toEqual([at, readByClient(bytes, [at, bytes.length])]);
    });

    test.each([1, 2, 3, 7, 100, 4096])('are read as by the client, %i bytes at a time', (length) => {
      const told = readByClient(bytes, [length]);
      expect(read(bytes, [length])).toEqual(told);
      expect(readPassing(bytes, [length])).toEqual(told);
    });
  });

  test.each(Object.entries(streams))('tells of %s the same wherever they are cut', (_name, text) => {
    const bytes = bytesOf(text);
    const whole = read(bytes);
    for (let length = 1; length < 40; length++) expect(read(bytes, [length])).toEqual(whole);
  });

  test('reads by itself what has come whole, and leaves to the client what has not', () => {
    const told: Operation[] = [];
    const parser = readerOf(new Parser({ push: (operation) => told.push(operation) }));
    const parts = [
      `MSG a 1 1\r\nx\r\nHMSG a 2 r 0 1\r\nx\r\nMSG a 3 1\r\n`,
      'x\r\nMSG a 4 1\r\nx\r\nMSG a',
      ' 5 1\r\nx\r\n',
    ];
    for (const part of parts) parser.parse(Buffer.from(part));
    expect(told.map(({ msg }) => [msg?.sid, msg instanceof MessageLine])).toEqual([
      [1, true],
      [2, true],
      [3, false],
      [4, true],
      [5, false],
    ]);
  });

  test('takes the bytes of a message that has come in part past the parser, and not one more', () => {
    const { told, parser } = recorder();
    const reader = passingReaderOf(parser);
    const taken = ['MSG a 1 4\r\n', 'ab', 'cd\r\nMSG a 1 1\r\nx\r\n'].map((part) => {
      const count = reader.takePayload?.(Buffer.from(part)) ?? 0;
      if (count < part.length) reader.parse(Buffer.from(part.slice(count)));
      return count;
    });
    expect(taken).toEqual([0, 2, 2]);
    expect(told).toEqual(readByClient(bytesOf('MSG a 1 4\r\nabcd\r\nMSG a 1 1\r\nx\r\n')));
  });

  test('is put in twice, by two copies of the package', () => {
    const { told, parser } = recorder();
    const bytes = bytesOf(streams['large messages']);
    expect(feed({ told, parser: readerOf(readerOf(parser)) }, bytes, [1000])).toEqual(readByClient(bytes));
  });

  test('leaves a parser alone that is not built as known', () => {
    const given: Uint8Array[] = [];
    const reader = readerOf({ parse: (bytes) => given.push(bytes) });
    const bytes = bytesOf(streams.messages);
    reader.parse(bytes);
    expect(given).toEqual([bytes]);
  });
});

/** The first bytes say where the rest is cut. */
const target: FuzzTarget = {
  name: 'server-operations',
  samples: Object.values({ ...streams, ...faults }).flatMap((text) => [
    Buffer.concat([Buffer.of(255, 255, 255), Buffer.from(text)]),
    Buffer.concat([Buffer.of(5, 17, 3), Buffer.from(text)]),
  ]),
  decode(payload) {
    const lengths = [...payload.subarray(0, 3)];
    const bytes = payload.subarray(3);
    const told = readByClient(bytes, lengths);
    must(isDeepStrictEqual(read(bytes, lengths), told), 'it is read otherwise than by the client');
    must(isDeepStrictEqual(readPassing(bytes, lengths), told), 'past the parser it is read otherwise');
    return told;
  },
};

test.each([target])('$name: whatever is read, the invariants hold', (target) => fuzz(target));
