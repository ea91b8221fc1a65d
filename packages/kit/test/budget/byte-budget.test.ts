import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteBudget, detachedMessage, Mailbox } from '../../src/index.ts';

const limit = 100;

function budgetOf(): ByteBudget {
  return new ByteBudget(limit, 'tests');
}

test('what is held is what was taken and neither given back nor shed, and within the limit unless one alone has it', () => {
  const step = fc.record({
    index: fc.nat(7),
    bytes: fc.integer({ min: 1, max: 150 }),
    act: fc.constantFrom('take', 'take', 'give', 'release'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const budget = budgetOf();
      const held = Array.from({ length: 8 }, () => 0);
      const holdings = held.map((_, index) =>
        budget.holding({
          peer: `peer ${index % 3}`,
          shed() {
            held[index] = 0;
          },
        }),
      );
      for (const { index, bytes, act } of steps) {
        const holding = holdings[index];
        const own = held[index] ?? 0;
        if (act === 'take') {
          held[index] = own + bytes;
          holding?.take(bytes);
          // Who has just brought bytes is never the idlest.
          expect(held[index]).toBe(own + bytes);
        } else if (act === 'give') {
          holding?.give(bytes);
          held[index] = Math.max(0, own - bytes);
        } else {
          holding?.release();
          held[index] = 0;
        }
        const sum = held.reduce((total, each) => total + each, 0);
        expect(budget.used).toBe(sum);
        expect(holdings.map((each) => each.bytes)).toEqual(held);
        if (act !== 'take') continue;
        const holders = held.filter((each) => each > 0);
        expect(sum <= limit || holders.length === 1).toBe(true);
        const peer = index % 3;
        const ofPeer = held.filter((each, other) => other % 3 === peer && each > 0);
        expect(budget.usedBy(`peer ${peer}`)).toBe(ofPeer.reduce((total, each) => total + each, 0));
        expect(budget.usedBy(`peer ${peer}`) <= limit / 2 || ofPeer.length === 1).toBe(true);
      }
      for (const holding of holdings) holding.release();
      expect(budget.used).toBe(0);
    }),
  );
});

test('the one whose last bytes came longest ago goes first, and is told why', () => {
  const budget = budgetOf();
  const gone: string[] = [];
  const holding = (peer: string) =>
    budget.holding({ peer, shed: ({ code, message }) => void gone.push(`${peer} ${code} ${message}`) });
  const [a, b, c] = [holding('a'), holding('b'), holding('c')];
  a.take(40);
  b.take(40);
  a.take(5);
  c.take(40);
  expect(gone).toEqual(['b unavailable tests hold more than 100 bytes together']);
  expect(b.bytes).toBe(0);
});

test('of a peer with more than half its own idlest goes, not those of others', () => {
  const budget = budgetOf();
  const gone: string[] = [];
  const holding = (name: string, peer: string) => budget.holding({ peer, shed: () => void gone.push(name) });
  const other = holding('other', 'other');
  const [first, second] = [holding('first', 'greedy'), holding('second', 'greedy')];
  other.take(10);
  first.take(30);
  second.take(30);
  expect(gone).toEqual(['first']);
  expect(budget.used).toBe(40);
});

test('a mailbox counts what waits in it, and not what somebody waits for', async () => {
  const budget = budgetOf();
  const held = budget.holding({ peer: 'peer', shed() {} });
  const mailbox = new Mailbox<string>('box', 10, { of: (item) => item.length, limit: 6, held });
  const early = mailbox.pull();
  mailbox.push('early');
  expect(await early).toBe('early');
  expect(budget.used).toBe(0);
  expect(['aaa', 'bb', 'cccc', 'd'].map((item) => mailbox.push(item))).toEqual([true, true, true, false]);
  expect([mailbox.bytes, budget.used]).toEqual([9, 9]);
  mailbox.take();
  await mailbox.pull();
  expect([mailbox.bytes, budget.used]).toEqual([4, 4]);
  mailbox.end(undefined, { drop: true });
  expect([mailbox.bytes, budget.used]).toEqual([0, 0]);
});

test('a mailbox keeps what waits as it is detached, but for a few', async () => {
  const mailbox = new Mailbox<string>('box', 100, { of: () => 1, detach: (item) => `own ${item}` });
  const early = mailbox.pull();
  for (let count = 0; count < 34; count++) mailbox.push('a');
  expect(await early).toBe('a');
  const waited = Array.from({ length: 33 }, () => mailbox.take());
  expect(waited).toEqual([...Array.from({ length: 32 }, () => 'a'), 'own a']);
});

test('a mailbox that knows the memory of its items detaches what comes beyond 8 of it, until nothing waits', () => {
  const reads = Array.from({ length: 9 }, () => ({}));
  const mailbox = new Mailbox<{ readonly read: object; readonly isOwn: boolean }>('box', 1000, {
    of: () => 1,
    memoryOf: ({ read }) => read,
    detach: ({ read }) => ({ read, isOwn: true }),
  });
  const push = (read: object) => mailbox.push({ read, isOwn: false });
  const owned = () => Array.from({ length: mailbox.size }, () => mailbox.take()?.isOwn);
  // Ten items of each.
  for (const read of reads) for (let count = 0; count < 10; count++) push(read);
  expect(owned()).toEqual(Array.from({ length: 90 }, (_, index) => index >= 80));
  for (const read of reads) push(read);
  for (let taken = 0; taken < 8; taken++) mailbox.take();
  // One still waits, and how much memory the others kept is not known.
  push({});
  expect(owned()).toEqual([true, true]);
  push({});
  expect(owned()).toEqual([false]);
});

test('the body of a detached message is a copy that keeps little else', () => {
  const read = new Uint8Array(65_536).fill(7);
  const bodies = [10, 3000, 8000, 30_000].map((length) => read.subarray(100, 100 + length));
  const copies = bodies.map((body) => detachedMessage({ headers: {}, body }).body);
  read.fill(8);
  expect(copies.map(({ length }) => length)).toEqual([10, 3000, 8000, 30_000]);
  for (const copy of copies) {
    expect(copy.every((byte) => byte === 7)).toBe(true);
    expect(copy.buffer.byteLength).toBeLessThanOrEqual(Math.max(8192, copy.length));
  }
  const many = Array.from({ length: 2000 }, (_, index) =>
    detachedMessage({ headers: {}, body: read.subarray(0, 100).fill(index % 256) }),
  );
  expect(many.every(({ body }, index) => body.every((byte) => byte === index % 256))).toBe(true);
  const large = { headers: {}, body: read.subarray(0, 40_000) };
  expect(detachedMessage(large)).toBe(large);
});

test('where a peer holds much, its holders go on one after another, and so shed nobody', () => {
  const budget = budgetOf();
  const gone: string[] = [];
  const told: string[] = [];
  const holding = (name: string, peer: string) => budget.holding({ peer, shed: () => void gone.push(name) });
  const [a, b, c] = [holding('a', 'one'), holding('b', 'one'), holding('c', 'one')];
  const other = holding('other', 'other');
  const asks = (name: string, each: typeof a) => each.mayGoOn(() => void told.push(name), false);
  for (const each of [a, b, c]) each.take(8);
  expect([asks('a', a), asks('b', b)]).toEqual([true, true]);
  c.take(4);
  expect([asks('c', c), asks('a', a), asks('b', b)]).toEqual([true, false, false]);
  other.take(20);
  expect(asks('other', other)).toBe(true);
  c.take(10);
  expect(asks('c', c)).toBe(true);
  expect(told).toEqual([]);
  c.release();
  // What is left is less than a quarter of all.
  expect(told).toEqual(['a', 'b']);
  expect(gone).toEqual([]);
});

test('one that has stopped leads no longer than another one asks for the second time', () => {
  const budget = budgetOf();
  const [stalled, next] = ['stalled', 'next'].map(() => budget.holding({ peer: 'one', shed() {} }));
  let isTold = false;
  stalled?.take(20);
  next?.take(10);
  expect(stalled?.mayGoOn(() => {}, false)).toBe(true);
  const asks = (isAgain: boolean) =>
    next?.mayGoOn(() => {
      isTold = true;
    }, isAgain);
  expect([asks(false), asks(true), asks(true)]).toEqual([false, false, true]);
  stalled?.release();
  expect(isTold).toBe(false);
});
