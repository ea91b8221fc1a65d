import { MicroError, type ServiceRecord, serviceRecord } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { RecordWatcher, type RecordWatcherOptions } from '../../src/index.ts';

const record = (name: string, version: string = '1') => serviceRecord({ name, version });

function watcherOf(options: Partial<RecordWatcherOptions> = {}): RecordWatcher {
  return new RecordWatcher({ what: 'test watcher', known: () => [], stop: () => {}, ...options });
}

test('it tells changes in order, each a copy', async () => {
  await using watcher = watcherOf();
  const changed = record('greeter');
  watcher.tell('create', changed);
  watcher.tell('delete', changed);
  const first = await watcher.receive();
  expect(first).toEqual({ type: 'create', service: changed });
  expect(first?.type === 'create' && first.service).not.toBe(changed);
  expect(await watcher.receive()).toEqual({ type: 'delete', service: changed });
});

test('changes of other services are left out', async () => {
  await using watcher = watcherOf({ service: 'greeter' });
  watcher.tell('create', record('other'));
  watcher.tell('create', record('greeter'));
  expect(await watcher.receive()).toMatchObject({ service: { name: 'greeter' } });
});

test('one resync takes the place of what nobody received', async () => {
  const known = [record('greeter', '1'), record('greeter', '2')];
  await using watcher = watcherOf({ limit: 2, known: () => known });
  for (const version of ['1', '2', '3']) watcher.tell('create', record('greeter', version));
  watcher.tell('delete', record('greeter', '3'));
  expect(await watcher.receive()).toEqual({ type: 'resync', services: known });
  watcher.tell('delete', record('greeter', '2'));
  expect(await watcher.receive()).toMatchObject({ type: 'delete', service: { version: '2' } });
});

test('a wait that is pending rejects with what the backend ended it with', async () => {
  const cause = new MicroError('unauthorized', 'test: not yours');
  let stops = 0;
  const watcher = watcherOf({ stop: () => void stops++ });
  const waiting = watcher.receive();
  await Promise.all([expect(waiting).rejects.toBe(cause), watcher.fail(cause)]);
  expect(await watcher.closed).toBe(cause);
  await watcher.close();
  expect(stops).toBe(1);
});

test('what is told after the end is forgotten', async () => {
  const watcher = watcherOf({ known: () => expect.fail('asked after the end') });
  await watcher.close();
  for (let count = 0; count < 3; count++) watcher.tell('create', record('greeter'));
  for await (const event of watcher) expect.fail(`gave ${event.type}`);
});

test('what waits is bounded in bytes as in number, and one event waits however large it is', async () => {
  const large = serviceRecord({ name: 'greeter', metadata: { text: 'x'.repeat(1000) } });
  await using watcher = watcherOf({ limitBytes: 3000, known: () => [large] });
  for (let count = 0; count < 50; count++) watcher.tell('update', large);
  expect(await watcher.receive()).toMatchObject({ type: 'resync' });
  await using narrow = watcherOf({ limitBytes: 10 });
  narrow.tell('update', large);
  expect(await narrow.receive()).toMatchObject({ type: 'update' });
});

test('the resync that stands for everything tells what is known when it is received, and asks for it once', async () => {
  let asked = 0;
  const known: ServiceRecord[] = [];
  await using watcher = watcherOf({ limit: 1, known: () => [...known, ...(asked++ ? [] : [record('asked')])] });
  watcher.tell('create', record('a'));
  for (const name of ['b', 'c', 'd']) watcher.tell('create', record(name));
  watcher.resync();
  expect(watcher.wants('e')).toBe(false);
  known.push(record('late'));
  expect(await watcher.receive()).toEqual({ type: 'resync', services: [record('late'), record('asked')] });
  expect(asked).toBe(1);
  watcher.tell('create', record('e'));
  expect(await watcher.receive()).toMatchObject({ type: 'create', service: { name: 'e' } });
});

test('who reads a long row of large records leaves timers their turn', async () => {
  const nodes = Array.from({ length: 2000 }, (_, index) => ({ id: `${index}`, address: 'a', metadata: { a: 'b' } }));
  const large = serviceRecord({ name: 'greeter', nodes });
  await using watcher = watcherOf({ limitBytes: Number.POSITIVE_INFINITY });
  for (let count = 0; count < 200; count++) watcher.tell('update', large);
  let turns = 0;
  const turn = setInterval(() => turns++, 0);
  for (let count = 0; count < 200; count++) await watcher.receive();
  clearInterval(turn);
  expect(turns).toBeGreaterThan(1);
});
