import { randomBytes } from 'node:crypto';
import { connectNats, encodeEnvelope, type NatsConnection } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { createClient, createService } from '@ts-micro/service';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { expect, test } from 'vitest';

// `FORGED_GUESSES=1000000` makes it a million, which takes minutes.
const guesses = Number(process.env.FORGED_GUESSES ?? 30_000);
const guessesMs = 60_000 + guesses;

const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const forgedNode = { id: 'forged', address: 'svc.forged', metadata: { protocol: 'mucp' } };
const frame = (hex: string, body = '') => Buffer.concat([Buffer.from(hex, 'hex'), Buffer.from(body)]);
const answer = '{"balance":1000000}';

/**
 * Each would do harm if it came to the subject of somebody: answers, ends, credits, probes, gaps, answers of the
 * registry.
 */
const forgeries: readonly Uint8Array[] = [
  frame('f5010000', answer),
  frame('f5010100', answer),
  frame('f5020000'),
  frame('f50300400061'),
  frame('f5040000ff7fffff7f'),
  frame('f5050900'),
  encodeEnvelope({ headers: { 'Content-Type': 'application/json', 'Micro-Id': '1' }, body: Buffer.from(answer) }),
  Buffer.from(JSON.stringify({ name: 'bank', version: '1', metadata: null, endpoints: [], nodes: [forgedNode] })),
];
const noBytes = new Uint8Array(0);

async function program(servers: string, inboxPrefix: string) {
  const connection = await connectNats({ servers, inboxPrefix });
  const transport = natsTransport({ connection, closeTimeoutMs: 200 });
  const registry = natsRegistry({ connection });
  return { connection, transport, registry, [Symbol.asyncDispose]: () => connection.close() };
}

/** A bank whose answers are held back until `release`. */
async function startBank(plugins: Awaited<ReturnType<typeof program>>) {
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let calls = 0;
  const service = createService({ name: 'bank', version: '1', ...plugins });
  service.handle('Bank.Balance', async () => {
    calls++;
    await released;
    return { balance: 7 };
  });
  service.handleStream('Bank.Ledger', async (stream) => {
    await stream.send({ entry: 0 });
    await released;
    for (let entry = 1; entry < 3000; entry++) await stream.send({ entry });
  });
  service.handleStream('Bank.Ticks', async (stream, { signal }) => {
    // Nothing comes back, so that the listener asks whether the caller is still there.
    while (!signal.aborted) {
      await stream.send({});
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  await service.start();
  return { service, release: () => release(), calls: () => calls };
}

test(
  'who sees every announcement, and was called once in each role, forges nothing by guessing',
  async () => {
    await using server = await startNatsServer();
    await using bankSide = await program(server.url, '_INBOX.bank');
    await using victimSide = await program(server.url, '_INBOX.victim');
    await using attacker = await program(server.url, '_INBOX.attacker');
    const bank = await startBank(bankSide);
    await using client = createClient({ ...victimSide, timeoutMs: 600_000 });

    const known = await playEachRole(attacker, client, victimSide);
    expect(Object.keys(known).toSorted()).toEqual(['announced', 'called', 'probed', 'queried']);

    const balance = client.call('bank', 'Bank.Balance', {});
    const ledger = await client.stream('bank', 'Bank.Ledger', { streamIdleMs: 600_000 });
    expect(await ledger.receive()).toEqual({ entry: 0 });
    await expect.poll(() => bank.calls()).toBe(1);

    let isForging = true;
    const lookups = (async () => {
      const found = new Set<string>();
      while (isForging)
        for (const { nodes } of await victimSide.registry.getService('bank')) for (const { id } of nodes) found.add(id);
      return found;
    })();
    await forge(attacker.connection, Object.values(known));
    isForging = false;

    expect((await lookups).size).toBe(1);
    expect(await lookups).not.toContain('forged');
    bank.release();
    expect(await balance).toEqual({ balance: 7 });
    let entries = 1;
    for await (const value of ledger) expect(value).toEqual({ entry: entries++ });
    expect(entries).toBe(3000);
    expect(bank.calls()).toBe(1);
    await bank.service.stop();
  },
  guessesMs,
);

test('what is forged would be believed on the very subject, of a call and of a lookup', async () => {
  await using server = await startNatsServer();
  await using bankSide = await program(server.url, '_INBOX.bank');
  await using victimSide = await program(server.url, '_INBOX.victim');
  await using spy = await program(server.url, '_INBOX.spy');
  const bank = await startBank(bankSide);
  await using client = createClient({ ...victimSide, timeoutMs: 600_000 });
  const forgedAnswer = ({ reply }: { reply?: string | undefined }) => {
    if (reply !== undefined) for (const forgery of forgeries) spy.connection.publish(reply, forgery);
  };
  const [record] = await victimSide.registry.getService('bank');
  const address = record?.nodes[0]?.address ?? '';
  await spy.connection.subscribe('micro.nats.query', { onMessage: forgedAnswer }).confirm();
  const found = await victimSide.registry.getService('bank');
  expect(found.flatMap(({ nodes }) => nodes.map(({ id }) => id))).toContain('forged');
  await spy.connection.subscribe(address, { onMessage: forgedAnswer }).confirm();
  await expect(client.call('bank', 'Bank.Balance', {}, { address })).resolves.toEqual({ balance: 1_000_000 });
  bank.release();
  await bank.service.stop();
});

/** Is announced to, called, asked by a lookup, and probed by a listener: returns one subject of each. */
async function playEachRole(
  attacker: Awaited<ReturnType<typeof program>>,
  victim: ReturnType<typeof createClient>,
  victimSide: Awaited<ReturnType<typeof program>>,
): Promise<Record<string, string>> {
  const known: Record<string, string> = {};
  const { connection } = attacker;
  const learn = (role: string) => ({
    onMessage: ({ reply }: { reply?: string | undefined }) => {
      if (reply) known[role] ??= reply;
    },
  });
  const questions = connection.subscribe('micro.nats.query', learn('queried'));
  const probes = connection.subscribe('_INBOX.attacker.>', learn('probed'));
  await Promise.all([questions.confirm(), probes.confirm()]);

  await using service = createService({ name: 'mallory', ...attacker });
  service.handle('Mallory.Hello', () => ({}));
  await service.start();
  const [own] = await attacker.registry.getService('mallory');
  await connection.subscribe(own?.nodes[0]?.address ?? '', learn('called')).confirm();
  delete known.queried;
  await victimSide.registry.getService('bank');
  await victim.call('mallory', 'Mallory.Hello', {});

  await using client = createClient(attacker);
  const ticks = await client.stream('bank', 'Bank.Ticks');
  await ticks.send({});
  const [bank] = await attacker.registry.getService('bank');
  known.announced = bank?.nodes[0]?.address ?? '';
  for await (const _ of ticks) if (known.probed !== undefined) break;
  questions.unsubscribe();
  probes.unsubscribe();
  return known;
}

/** Sends every forgery to subjects near those that are known. */
async function forge(connection: NatsConnection, known: readonly string[]): Promise<void> {
  const inboxes = known.map((subject) => subject.slice(0, subject.lastIndexOf('.') + 1));
  for (let guess = 0; guess < guesses; guess++) {
    const at = guess % known.length;
    const subject = known[at] as string;
    const round = Math.floor(guess / known.length);
    const near = [
      () => inboxes[at] + round.toString(36),
      () => neighbour(subject, round % 2 === 0 ? round : -round),
      () => inboxes[at] + token(),
      () => `_INBOX.${['victim', 'bank'][guess % 2]}.${token()}.${token()}`,
    ];
    const guessed = (near[round % near.length] as () => string)();
    connection.publish(guessed, forgeries[round % forgeries.length] as Uint8Array);
    if (round % 3 === 0) connection.publish(guessed, noBytes, { status: 503 });
    if (guess % 500 === 0) await connection.flush();
  }
  await connection.flush();
}

function token(): string {
  return [...randomBytes(22)].map((byte) => letters[byte % 62]).join('');
}

/** The subject whose last token is `steps` further, as a number of base 62. */
function neighbour(subject: string, steps: number): string {
  const last = subject.slice(subject.lastIndexOf('.') + 1);
  let rest = [...last].reduce((sum, letter) => sum * 62n + BigInt(Math.max(0, letters.indexOf(letter))), BigInt(steps));
  let text = '';
  for (let place = 0; place < last.length; place++) {
    text = letters[Number(((rest % 62n) + 62n) % 62n)] + text;
    rest /= 62n;
  }
  return subject.slice(0, subject.length - last.length) + text;
}
