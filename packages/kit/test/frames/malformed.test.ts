import { readFileSync } from 'node:fs';
import { MicroError } from '@ts-micro/core';
import { checkDecoder } from '@ts-micro-tools/malformed';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteBudget } from '../../src/budget/byte-budget.ts';
import { frameKind, frameMarker, numbersFrame, readFrameHead, readFrameMessage } from '../../src/frames/frame.ts';
import { readHeaderBlock, writeHeaderBlock } from '../../src/frames/header-block.ts';
import { FrameStream } from '../../src/frames/stream/frame-stream.ts';
import { SentRecord } from '../../src/frames/stream/sent-record.ts';

const golden: { readonly frames: readonly { readonly frame: string }[] } = JSON.parse(
  readFileSync(new URL('golden/frames.json', import.meta.url), 'utf8'),
);
const samples = golden.frames.map(({ frame }) => bytesOf(frame));

describe('whatever comes as a frame is read, or refused as malformed:', () => {
  test('its numbers, headers and body', () => {
    const decode = (payload: Uint8Array) => {
      const { rest } = readFrameHead(asFrame(payload));
      return readFrameMessage(payload, rest);
    };
    checkDecoder(decode, { samples });
  });

  test('a header block', () => {
    const blocks = [writeHeaderBlock({ 'Content-Type': 'a', 'X-Tag': 'b', '~e': 'A.B' }, 'test')];
    checkDecoder((payload) => readHeaderBlock(payload, 0, payload.length), { samples: blocks });
  });

  test('a stream of them, which holds no more than came, and gives it back', () => {
    const limit = 100_000;
    const budget = new ByteBudget(limit, 'tests');
    const held = budget.holding({ peer: 'test', shed() {} });
    const cause = new MicroError('closed', 'test');
    const more = ['f503 00 64 00 616161', 'f503 00 05 02 616161', 'f503 00 00 00', 'f502 00 00'].map(bytesOf);
    const decode = (payload: Uint8Array) => {
      const stream = new FrameStream(silentLine, new SentRecord(), { maxMessageBytes: 50_000, held });
      let came = 2;
      try {
        stream.take(bytesOf('f503 00 05 00 f501'));
        for (let round = 0; round < 2; round++) {
          came += payload.length;
          stream.take(asFrame(payload));
          expect(budget.used).toBeLessThanOrEqual(came);
        }
      } finally {
        stream.end(() => cause);
        expect(budget.used).toBe(0);
      }
    };
    checkDecoder(decode, { samples: [...samples, ...more], codes: ['malformed', 'too_large', 'unavailable'] });
  });
});

test('a message is announced with the largest body and the largest headers at most', () => {
  const chunk = (total: number) => {
    const head = numbersFrame(frameKind.chunk, 0, total, 0);
    return Buffer.concat([head, Buffer.from('a')]);
  };
  const stream = () => new FrameStream(silentLine, new SentRecord(), { maxMessageBytes: 1000 });
  // 64 KiB of headers, and 64 bytes for the numbers of its frame.
  const most = 1000 + 64 * 1024 + 64;
  expect(stream().take(chunk(most))).toBeUndefined();
  expect(() => stream().take(chunk(most + 1))).toThrow(expect.objectContaining({ code: 'too_large' }));
});

const silentLine = { what: 'test', maxPayload: 1_000_000, publish() {}, probe() {}, farewell() {} };

test('a number of a frame is a safe whole number of at most eight bytes, or the frame is malformed', () => {
  const bytes = fc.array(fc.oneof(fc.nat(255), fc.constant(0x80), fc.constant(0xff)), { maxLength: 160 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), bytes, (kind, rest) => {
      const payload = Uint8Array.from([frameMarker, kind, ...rest]);
      try {
        const { sequence, total, offset, messages, bytes: received, rest: end } = readFrameHead(payload);
        for (const number of [sequence, total, offset, messages, received])
          expect(number).toSatisfy(Number.isSafeInteger);
        expect(end).toBeLessThanOrEqual(Math.min(payload.length, 2 + 4 * 8));
      } catch (error) {
        expect(error).toMatchObject({ code: 'malformed' });
      }
    }),
    { numRuns: 5000 },
  );
});

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

/** Nothing else is taken for one. */
function asFrame(payload: Uint8Array): Uint8Array {
  if (payload.length > 0) payload[0] = frameMarker;
  return payload;
}
