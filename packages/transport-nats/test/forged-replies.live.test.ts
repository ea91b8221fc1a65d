import { randomBytes } from 'node:crypto';
import { encodeEnvelope, type NatsConnection } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';
import { barePeer, message, openTransport, serve, textOf } from './pair.ts';

const frames = { 'ts-micro-frames': '1' };
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
// `FORGED_GUESSES=1000000` makes it a million.
const rounds = Number(process.env.FORGED_GUESSES ?? 40_000);

for (const [dialect, metadata] of [
  ['frames', frames],
  ['envelopes', {}],
] as const) {
  test(
    `a peer that was called in ${dialect} and has called guesses no reply subject of another call`,
    async () => {
      await using server = await startNatsServer();
      await using victim = openTransport({ servers: server.url, name: 'victim' });
      await using honest = openTransport({ servers: server.url, name: 'honest' });
      await using forger = await barePeer(server.url);
      const bank = await serve(honest);
      const own = await serve(victim);

      // The forger was called once, and so knows one reply subject. It has called once, and knows the address as
      // everybody does.
      await forger.hear('forger.address');
      const called = await victim.dial('forger.address', { metadata });
      await called.send(message('hello'));
      forger.sendMessage(own.listener.address, message('hello'));
      await own.next();
      await expect.poll(() => forger.received[0]?.reply).toBeTruthy();
      const shown = forger.received[0]?.reply ?? '';

      const asking = await victim.dial(bank.listener.address, { metadata });
      await asking.send(message('balance?'));
      const answer = asking.receive();
      const guesses = await forge(forger.connection, [shown, own.listener.address, bank.listener.address]);

      // What the forger knows leads to nothing of what it would need.
      expect(guesses.has(asking.local)).toBe(false);
      expect(tail(asking.local)).not.toBe(tail(shown));
      expect(common(asking.local, own.listener.address)).toBeLessThan('_INBOX.'.length + 8);
      await (await bank.next()).send(message('100'));
      expect(textOf(await answer)).toBe('100');
    },
    60_000 + rounds,
  );
}

test('a listener shows its probes on an inbox of their own, not on that of its answers', async () => {
  await using server = await startNatsServer();
  await using transport = openTransport({ servers: server.url });
  await using peer = await barePeer(server.url);
  const { listener, next } = await serve(transport);
  const dialled = await transport.dial('greeter.node');
  peer.sendMessage(listener.address, message('hello'));
  const socket = await next();
  await expect
    .poll(async () => {
      await socket.send(message('news'));
      return peer.received.find(({ reply }) => reply !== undefined)?.reply;
    })
    .toMatch(/^_INBOX\.[0-9A-Za-z]{22}\.[0-9A-Za-z]{22}$/);
  const probe = peer.received.find(({ reply }) => reply !== undefined)?.reply ?? '';
  expect(probe.split('.')[1]).not.toBe(dialled.local.split('.')[1]);
  expect(probe.split('.')[1]).not.toBe(listener.address.split('.')[1]);
});

/** Publishes forged answers of every kind on subjects near those that are known; returns the subjects. */
async function forge(connection: NatsConnection, known: readonly string[]): Promise<ReadonlySet<string>> {
  const answers = [
    Buffer.concat([Buffer.from('f501000 0'.replace(' ', ''), 'hex'), Buffer.from('1000000')]),
    encodeEnvelope(message('1000000')),
    Buffer.from('f5020000', 'hex'),
    // A window without an end, a probe that tells of losses, and a chunk of what does not come.
    Buffer.from('f5040000ff7fffff7f', 'hex'),
    Buffer.from('f5050900', 'hex'),
    Buffer.from('f50300400061', 'hex'),
  ];
  const tried = new Set<string>();
  const attempt = (subject: string, round: number) => {
    tried.add(subject);
    connection.publish(subject, answers[round % answers.length] as Uint8Array);
    if (round % 5 === 0) connection.publish(subject, new Uint8Array(0), { status: 503 });
  };
  for (let round = 0; round < rounds; round++) {
    const subject = known[round % known.length] as string;
    const inbox = subject.slice(0, subject.lastIndexOf('.') + 1);
    const kind = round % 4;
    if (kind === 0) attempt(inbox + round.toString(36), round);
    else if (kind === 1) attempt(neighbour(subject, round - rounds / 2), round);
    else if (kind === 2) attempt(inbox + randomBytes(16).toString('hex').slice(0, 22), round);
    else attempt(`${neighbour(subject, round)}.${round.toString(36)}`, round);
    if (round % 500 === 0) await connection.flush();
  }
  await connection.flush();
  return tried;
}

/** The subject whose last token is so many steps from that of `subject`, as numbers of base 62. */
function neighbour(subject: string, steps: number): string {
  const token = tail(subject);
  let value = 0n;
  for (const letter of token) value = value * 62n + BigInt(alphabet.indexOf(letter));
  let rest = value + BigInt(steps);
  let text = '';
  for (let place = 0; place < token.length; place++) {
    text = (alphabet[Number(((rest % 62n) + 62n) % 62n)] as string) + text;
    rest /= 62n;
  }
  return subject.slice(0, subject.length - token.length) + text;
}

function tail(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}

function common(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  return length;
}
