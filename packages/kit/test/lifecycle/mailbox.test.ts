import { getEventListeners } from 'node:events';
import { MicroError } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { Mailbox } from '../../src/index.ts';

test('items are pulled in the order they were pushed, whoever comes first', async () => {
  const mailbox = new Mailbox<number>('box');
  const early = [mailbox.pull(), mailbox.pull()];
  for (const item of [1, 2, 3, 4]) expect(mailbox.push(item)).toBe(true);
  expect(mailbox.size).toBe(2);
  expect(await Promise.all([...early, mailbox.pull(), mailbox.pull()])).toEqual([1, 2, 3, 4]);
  expect(mailbox.size).toBe(0);
});

test('a full mailbox takes no more until one is pulled', async () => {
  const mailbox = new Mailbox<string>('box', 2);
  expect([mailbox.push('a'), mailbox.push('b'), mailbox.push('c')]).toEqual([true, true, false]);
  expect(await mailbox.pull()).toBe('a');
  expect(mailbox.push('d')).toBe(true);
  expect([await mailbox.pull(), await mailbox.pull()]).toEqual(['b', 'd']);
});

test('what is there already can be taken without waiting', async () => {
  const mailbox = new Mailbox<string>('box');
  expect(mailbox.take()).toBeUndefined();
  mailbox.push('a');
  mailbox.push('b');
  mailbox.end();
  expect(mailbox.take()).toBe('a');
  expect(await mailbox.pull()).toBe('b');
  expect(mailbox.take()).toBeUndefined();
});

test('a mailbox without room hands items to those who wait', async () => {
  const mailbox = new Mailbox<string>('box', 0);
  expect(mailbox.push('a')).toBe(false);
  const waiting = mailbox.pull();
  expect(mailbox.push('b')).toBe(true);
  expect(await waiting).toBe('b');
});

test('after a plain end what is left is pulled, then nothing', async () => {
  const mailbox = new Mailbox<string>('box');
  mailbox.push('a');
  mailbox.end();
  expect(mailbox.push('b')).toBe(false);
  expect(await Promise.all([mailbox.pull(), mailbox.pull(), mailbox.pull()])).toEqual(['a', undefined, undefined]);
});

test('after an end with an error what is left is pulled, then the error', async () => {
  const error = new MicroError('unavailable', 'gone');
  const mailbox = new Mailbox<string>('box');
  mailbox.push('a');
  mailbox.end(error);
  mailbox.end();
  expect(await mailbox.pull()).toBe('a');
  await expect(mailbox.pull()).rejects.toBe(error);
  await expect(mailbox.pull()).rejects.toBe(error);
});

test('an end reaches everybody who waits', async () => {
  const plain = new Mailbox<string>('box');
  const waiting = [plain.pull(), plain.pull()];
  plain.end();
  expect(await Promise.all(waiting)).toEqual([undefined, undefined]);

  const error = new MicroError('unavailable', 'gone');
  const failed = new Mailbox<string>('box');
  const failing = failed.pull();
  failed.end(error);
  await expect(failing).rejects.toBe(error);
});

test('an end may drop what was not pulled, also after it has ended', async () => {
  const mailbox = new Mailbox<string>('box');
  mailbox.push('a');
  mailbox.push('b');
  mailbox.end();
  expect(await mailbox.pull()).toBe('a');
  mailbox.end(new MicroError('internal', 'later'), { drop: true });
  expect(mailbox.size).toBe(0);
  expect(await mailbox.pull()).toBeUndefined();
});

test('an aborted pull rejects, takes nothing with it and leaves no listener', async () => {
  const mailbox = new Mailbox<string>('box');
  const controller = new AbortController();
  const { signal } = controller;
  const first = mailbox.pull({ signal });
  const second = mailbox.pull();
  controller.abort(new Error('enough'));
  mailbox.push('a');
  await expect(first).rejects.toMatchObject({
    code: 'canceled',
    message: 'box: canceled',
    cause: { message: 'enough' },
  });
  expect(await second).toBe('a');
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('an abort just after the item came does not take it back', async () => {
  const mailbox = new Mailbox<string>('box');
  const controller = new AbortController();
  const pulling = mailbox.pull({ signal: controller.signal });
  mailbox.push('a');
  controller.abort();
  expect(await pulling).toBe('a');
});

test('a pull with a signal aborted before takes nothing', async () => {
  const mailbox = new Mailbox<string>('box');
  mailbox.push('a');
  await expect(mailbox.pull({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'canceled' });
  expect(mailbox.size).toBe(1);
});

test('pulls share one listener on a signal, and leave none', async () => {
  const mailbox = new Mailbox<string>('box');
  const { signal } = new AbortController();
  const served = mailbox.pull({ signal });
  const ended = mailbox.pull({ signal });
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  mailbox.push('a');
  mailbox.end();
  expect(await Promise.all([served, ended])).toEqual(['a', undefined]);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('iteration yields what comes until the end', async () => {
  const mailbox = new Mailbox<number>('box');
  const seen: number[] = [];
  const reading = (async () => {
    for await (const item of mailbox) seen.push(item);
  })();
  mailbox.push(1);
  await new Promise((resolve) => setImmediate(resolve));
  mailbox.push(2);
  mailbox.push(3);
  mailbox.end();
  await reading;
  expect(seen).toEqual([1, 2, 3]);
});

test('iteration ends with the error the mailbox ended with', async () => {
  const error = new MicroError('unavailable', 'gone');
  const mailbox = new Mailbox<number>('box');
  mailbox.push(1);
  mailbox.end(error);
  const seen: number[] = [];
  const reading = (async () => {
    for await (const item of mailbox) seen.push(item);
  })();
  await expect(reading).rejects.toBe(error);
  expect(seen).toEqual([1]);
});

test('leaving an iteration leaves what is left to others', async () => {
  const mailbox = new Mailbox<number>('box');
  for (const item of [1, 2]) mailbox.push(item);
  for await (const _ of mailbox) break;
  expect(await mailbox.pull()).toBe(2);
});

test('a queue that never runs empty keeps its order', async () => {
  const mailbox = new Mailbox<number>('box');
  const total = 10_000;
  const pulled: (number | undefined)[] = [];
  for (let number = 0; number < 10; number++) mailbox.push(number);
  for (let number = 10; number < total; number++) {
    mailbox.push(number);
    pulled.push(await mailbox.pull());
    if (mailbox.size !== 10) throw new Error(`${mailbox.size} are queued, not 10`);
  }
  mailbox.end();
  for await (const number of mailbox) pulled.push(number);
  expect(pulled).toEqual(Array.from({ length: total }, (_, number) => number));
});

test('what arrived is taken first where a time that is over ends the wait, as the event loop may have been blocked', async () => {
  const mailbox = new Mailbox<string>('box');
  const late = new AbortController();
  const waiting = mailbox.pull({ signal: late.signal });
  late.abort(new DOMException('the time is over', 'TimeoutError'));
  setImmediate(() => mailbox.push('a'));
  expect(await waiting).toBe('a');
  expect(getEventListeners(late.signal, 'abort')).toEqual([]);
  await expect(mailbox.pull({ signal: AbortSignal.timeout(1) })).rejects.toThrow('box: timed out');
});
