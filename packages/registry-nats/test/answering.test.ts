import { setImmediate } from 'node:timers/promises';
import { silentLogger } from '@ts-micro/core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Answering } from '../src/answering.ts';

afterEach(() => {
  vi.useRealTimers();
});

const data = Buffer.from(JSON.stringify({ Action: 'list' }));

/** Answers of so many bytes, over a connection on which there is room once `open` is called. */
function world(bytes: number, { hasRoom = true } = {}) {
  vi.useFakeTimers({ toFake: ['performance'] });
  const answered: string[] = [];
  let open: () => void = () => {};
  let room = hasRoom ? undefined : new Promise<void>((resolve) => (open = resolve));
  const answering = new Answering({
    connection: { room: () => room },
    logger: silentLogger,
    hasAnswer: (question) => question.action === 'list' || question.name === 'here',
    answer: (_, reply) => {
      answered.push(reply);
      return bytes;
    },
  });
  const ask = (reply: string, asked: Uint8Array = data) => answering.take({ reply, data: asked });
  const makeRoom = async () => {
    room = undefined;
    open();
    for (let turn = 0; turn < 3; turn++) await setImmediate();
  };
  return { answering, answered, ask, makeRoom };
}

describe('questions without end', () => {
  it('of one process are answered 10,000 times a second, and others beside it', () => {
    const { answered, ask } = world(100);
    for (let count = 0; count < 30_000; count++) ask(`_INBOX.flood.${count % 7}`);
    expect(answered).toHaveLength(10_000);
    ask('_INBOX.honest.1');
    expect(answered.at(-1)).toBe('_INBOX.honest.1');
    vi.advanceTimersByTime(1000);
    ask('_INBOX.flood.1');
    expect(answered).toHaveLength(10_002);
  });

  it('about services of others take nothing from those that can be answered', async () => {
    const of = (name: string) => Buffer.from(JSON.stringify({ Action: 'get', Service: { name } }));
    const { answered, ask, makeRoom } = world(100, { hasRoom: false });
    for (let count = 0; count < 20_000; count++) ask('_INBOX.busy.1', of('elsewhere'));
    ask('_INBOX.busy.2', of('here'));
    await makeRoom();
    expect(answered).toEqual(['_INBOX.busy.2']);
  });

  it('of one process are answered with 32 MiB a second, and others beside it', () => {
    const { answered, ask } = world(1024 * 1024);
    for (let count = 0; count < 100; count++) ask('_INBOX.flood.1');
    expect(answered).toHaveLength(32);
    ask('_INBOX.honest.1');
    expect(answered.at(-1)).toBe('_INBOX.honest.1');
  });

  it('wait for room, bounded in number, each process in its turn', async () => {
    const { answered, ask, makeRoom } = world(100, { hasRoom: false });
    const floods = ['_INBOX.a.1', '_INBOX.b.1', '_INBOX.c.1'];
    for (let count = 0; count < 5000; count++) for (const flood of floods) ask(flood);
    ask('_INBOX.honest.1');
    ask('_INBOX.honest.2');
    expect(answered).toEqual([]);
    await makeRoom();
    expect(answered).toHaveLength(10_000);
    expect(answered.slice(0, 8)).toEqual([...floods, '_INBOX.honest.1', ...floods, '_INBOX.honest.2']);
    ask('_INBOX.honest.3');
    expect(answered).toHaveLength(10_001);
  });

  it('of hundreds of clients that start at once in one process all wait', async () => {
    const { answered, ask, makeRoom } = world(100, { hasRoom: false });
    for (let count = 0; count < 8000; count++) ask(`_INBOX.busy.${count}`);
    await makeRoom();
    expect(answered).toHaveLength(8000);
  });

  it('are not answered once it is stopped', async () => {
    const { answering, answered, ask, makeRoom } = world(100, { hasRoom: false });
    ask('_INBOX.flood.1');
    answering.stop();
    await makeRoom();
    expect(answered).toEqual([]);
  });
});
