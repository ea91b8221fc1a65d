import { readFileSync } from 'node:fs';
import { MicroError } from '@ts-micro/core';
import { checkDecoder } from '@ts-micro-tools/malformed';
import { describe, expect, test } from 'vitest';
import { Conversation } from '../src/native/conversation.ts';
import { frameMarker, readFrameHead, readFrameMessage } from '../src/native/frame.ts';
import { readHeaderBlock, writeHeaderBlock } from '../src/native/header-block.ts';
import { ReassemblyBudget } from '../src/native/reassembly-budget.ts';

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

  test('a conversation of them, which holds no more than it may', () => {
    const limit = 100_000;
    const budget = new ReassemblyBudget(limit);
    const cause = new MicroError('closed', 'test');
    const more = ['f503 00 64 00 616161', 'f503 00 05 02 616161', 'f503 00 00 00', 'f502 00 00'].map(bytesOf);
    const decode = (payload: Uint8Array) => {
      const messages: unknown[] = [];
      const conversation = new Conversation(
        {
          what: 'test',
          maxPayload: 1_000_000,
          publishFrame() {},
          publishAsk() {},
          onFrameMessage: (message) => void messages.push(message),
          onPeerClosed() {},
        },
        50_000,
        budget,
      );
      try {
        conversation.take(bytesOf('f503 00 05 00 f501'));
        conversation.take(asFrame(payload));
        conversation.take(asFrame(payload));
      } finally {
        conversation.end(cause);
        // There is room for so much only where nothing is held.
        expect(budget.take(limit + 1)).toBe(true);
        budget.give(limit + 1);
      }
      return messages;
    };
    checkDecoder(decode, { samples: [...samples, ...more], codes: ['malformed', 'too_large', 'unavailable'] });
  });
});

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

/** Nothing else is taken for one. */
function asFrame(payload: Uint8Array): Uint8Array {
  if (payload.length > 0) payload[0] = frameMarker;
  return payload;
}
