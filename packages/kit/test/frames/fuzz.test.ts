import { readFileSync } from 'node:fs';
import { MicroError } from '@ts-micro/core';
import { type FuzzTarget, fuzz, must } from '@ts-micro-tools/fuzz';
import { test } from 'vitest';
import { ByteBudget } from '../../src/budget/byte-budget.ts';
import { ByteReader } from '../../src/frames/byte-reader.ts';
import { frameMarker, opensSocket, readFrameHead, readFrameMessage } from '../../src/frames/frame.ts';
import { readHeaderBlock, writeHeaderBlock } from '../../src/frames/header-block.ts';
import { FrameStream } from '../../src/frames/stream/frame-stream.ts';
import { SentRecord } from '../../src/frames/stream/sent-record.ts';
import { sizeOfVaruint, writeVaruint } from '../../src/frames/varuint.ts';

const golden: { readonly frames: readonly { readonly frame: string }[] } = JSON.parse(
  readFileSync(new URL('golden/frames.json', import.meta.url), 'utf8'),
);
const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const frames = golden.frames.map(({ frame }) => bytesOf(frame));
const numbers = ['f503 00 64 00 616161', 'f504 01 00 01 05', 'f505 01 00', 'f502 00 00', 'f503 00 00 00'].map(bytesOf);
const line = { what: 'test', maxPayload: 1_000_000, publish() {}, probe() {}, farewell() {} };
const holder = { peer: 'test', shed() {} };
const limit = 10_000;

const targets: readonly FuzzTarget[] = [
  {
    name: 'frame',
    samples: [...frames, ...numbers],
    decode(payload) {
      opensSocket(payload);
      const { rest, ...head } = readFrameHead(payload);
      must(Object.values(head).every(Number.isSafeInteger), 'a number is no safe whole one');
      must(rest <= payload.length, 'it is read beyond its end');
      return [head, readFrameMessage(payload, rest)];
    },
  },
  {
    name: 'varuint',
    samples: [0, 127, 128, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER].map((value) => {
      const bytes = new Uint8Array(sizeOfVaruint(value));
      writeVaruint(bytes, 0, value);
      return bytes;
    }),
    decode(payload) {
      const reader = new ByteReader(payload);
      const value = reader.varuint();
      must(Number.isSafeInteger(value), 'it is no safe whole number');
      must(reader.position <= Math.min(8, payload.length), 'more than eight bytes are read');
      const bytes = new Uint8Array(sizeOfVaruint(value));
      must(writeVaruint(bytes, 0, value) === bytes.length, 'its size is another');
      must(new ByteReader(bytes).varuint() === value, 'it is written as another');
      return value;
    },
  },
  {
    name: 'header-block',
    samples: [
      writeHeaderBlock({}, 'test'),
      writeHeaderBlock({ 'Content-Type': 'a', 'X-Tag': 'b', '~e': 'A.B', traceparent: '00' }, 'test'),
    ],
    decode: (payload) => readHeaderBlock(payload, 0, payload.length),
  },
  {
    // Frames one after the other, each with its length before it.
    name: 'frame-stream',
    codes: ['malformed', 'too_large', 'unavailable'],
    samples: [...frames, ...numbers].map((frame, index, all) => {
      const next = all[(index + 1) % all.length] as Uint8Array;
      return Uint8Array.from([frame.length, ...frame, next.length, ...next]);
    }),
    decode(payload) {
      const budget = new ByteBudget(limit, 'tests');
      const held = budget.holding(holder);
      const stream = new FrameStream(line, new SentRecord(), { maxMessageBytes: 5000, held });
      const came: unknown[] = [];
      try {
        for (let start = 0; start < payload.length; ) {
          const end = start + 1 + (payload[start] as number);
          const frame = Uint8Array.from(payload.subarray(start + 1, end));
          if (frame.length > 0) frame[0] = frameMarker;
          came.push(stream.take(frame));
          // No more than came, whatever was announced.
          must(budget.used <= Math.min(limit, payload.length), 'more memory is taken than came');
          start = end;
        }
        return came;
      } finally {
        stream.end(() => new MicroError('closed', 'test'));
        must(budget.used === 0, 'memory is not given back');
      }
    },
  },
];

test.each(targets)('$name: whatever comes, the invariants hold', (target) => fuzz(target));
