import { readFileSync } from 'node:fs';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, it } from 'vitest';
import { BareNats, freshInbox } from '../src/bare-nats.ts';
import type { CapturedMessage, CaptureFile } from '../src/captures/capture.ts';
import { TsPeer } from '../src/matrix/ts-peer.ts';
import { eventually } from '../src/matrix/wait.ts';

/** What was said in all the plain ways between Go peers, and is to be answered by the same bytes. */
const conversations = [
  'unary-first',
  'unary-pooled',
  'unary-escaping',
  'error-404',
  'error-escaping',
  'error-unknown-code',
  'error-zero',
  'error-unknown-handler',
  'error-unknown-method',
  'error-ill-formed',
  'error-two-dots',
  'protobuf',
  'json-rpc-explicit',
  'stream-opener-body',
  'stream-unknown-method',
];

describe.each(['v2', 'v4', 'v5', 'v6'])('a TypeScript server answers a recorded Go client of %s', (generation) => {
  it.each(conversations)('byte for byte as the Go server did: %s', async (id) => {
    const { asked, answered } = recorded(generation, id);
    await using nats = await startNatsServer();
    await using peer = await TsPeer.serve({ address: nats.address, library: 'nats', complaints: [], name: 'greeter' });
    await using bare = await BareNats.connect(nats.address);
    const inbox = freshInbox();
    const heard: string[] = [];
    bare.subscribe(inbox, ({ payload }) => heard.push(payload.toString()));
    for (const { payload } of asked) bare.publish(peer.service.node?.address ?? '', payload, inbox);
    await eventually('the answers', () => heard.length >= answered.length);
    expect(heard).toEqual(answered.map(({ payload }) => payload));
  });
});

/** The two sides of one recorded conversation. */
function recorded(generation: string, id: string): { asked: CapturedMessage[]; answered: CapturedMessage[] } {
  const text = readFileSync(new URL(`../captures/${generation}.json`, import.meta.url), 'utf8');
  const { captures } = JSON.parse(text) as CaptureFile;
  const messages = captures.find((capture) => capture.id === id)?.messages ?? [];
  const asked = messages.filter(({ payload, reply }) => reply !== undefined && payload.startsWith('{"Header"'));
  const answered = messages.filter(({ subject }) => subject === asked[0]?.reply);
  if (answered.length === 0) throw new Error(`no recorded answer of "${id}" by ${generation}`);
  return { asked, answered };
}
