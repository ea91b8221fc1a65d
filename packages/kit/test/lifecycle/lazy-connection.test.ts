import { expect, test } from 'vitest';
import { LazyConnection, type LazyConnectionOptions } from '../../src/index.ts';

class Client {
  readonly calls: string[] = [];
  isReady = true;
}

/** What its clients have gone through, and a way to settle each dial. */
function world(options: Partial<LazyConnectionOptions<Client>> = {}) {
  const dials: Dial[] = [];
  const connection = new LazyConnection<Client>({
    what: 'bus',
    dial() {
      const dial = new Dial();
      dials.push(dial);
      return dial.promise;
    },
    isReady: (client) => client.isReady,
    close: async (client) => client.calls.push('close'),
    destroy: (client) => void client.calls.push('destroy'),
    ...options,
  });
  return { connection, dials };
}

/** A dial that ends when the test says so. */
class Dial {
  resolve: (client: Client) => void = () => {};
  reject: (error: Error) => void = () => {};
  readonly promise = new Promise<Client>((resolve, reject) => {
    [this.resolve, this.reject] = [resolve, reject];
  });
}

const same = async (client: Client) => client;

test('nothing is dialled before the first call, and then once for all', async () => {
  const { connection, dials } = world();
  expect(dials).toHaveLength(0);
  const calls = [connection.use(same), connection.use(same)];
  const client = new Client();
  dials[0]?.resolve(client);
  expect(await Promise.all(calls)).toEqual([client, client]);
  expect(await connection.use(same)).toBe(client);
  expect(dials).toHaveLength(1);
});

test('a dial that fails fails those who wait for it, and the next call dials again', async () => {
  const { connection, dials } = world({
    codeOf: (error) => (String(error).includes('key') ? 'unauthorized' : 'timeout'),
  });
  const first = connection.use(same);
  dials[0]?.reject(new Error('wrong key'));
  await expect(first).rejects.toMatchObject({ code: 'unauthorized', message: 'bus: wrong key', retrySafe: true });
  const second = connection.use(same);
  dials[1]?.resolve(new Client());
  await second;
  await expect(connection.use(() => Promise.reject(new Error('late')))).rejects.toMatchObject({
    code: 'timeout',
    retrySafe: false,
  });
});

test('each call waits as long as its own signal allows', async () => {
  const { connection, dials } = world();
  const control = new AbortController();
  const patient = connection.use(same);
  const impatient = connection.use(same, { signal: control.signal });
  control.abort();
  await expect(impatient).rejects.toMatchObject({ code: 'canceled' });
  const client = new Client();
  dials[0]?.resolve(client);
  expect(await patient).toBe(client);
  await expect(connection.use(same, { signal: control.signal })).rejects.toMatchObject({ code: 'canceled' });
});

test('a call during an outage is refused at once, and nothing was sent', async () => {
  const { connection, dials } = world();
  const client = new Client();
  const first = connection.use(same);
  dials[0]?.resolve(client);
  await first;
  client.isReady = false;
  await expect(connection.use(same)).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
  await connection.end();
  expect(client.calls).toEqual(['destroy']);
});

test('ended it refuses until it is reopened, and then dials again', async () => {
  const { connection, dials } = world();
  const client = new Client();
  const first = connection.use(same);
  dials[0]?.resolve(client);
  await first;
  await connection.end();
  expect(client.calls).toEqual(['close', 'destroy']);
  await expect(connection.use(same)).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
  expect(dials).toHaveLength(1);
  connection.reopen();
  const next = connection.use(same);
  dials[1]?.resolve(new Client());
  expect(await next).not.toBe(client);
});

test('what is dialled while it ends is let go of, whatever was dialled since', async () => {
  const { connection, dials } = world();
  const early = connection.use(same);
  await connection.end();
  connection.reopen();
  const late = connection.use(same);
  const [lost, kept] = [new Client(), new Client()];
  dials[0]?.resolve(lost);
  await expect(early).rejects.toMatchObject({ code: 'unavailable' });
  expect(lost.calls).toEqual(['destroy']);
  dials[1]?.resolve(kept);
  expect(await late).toBe(kept);
});

test('ending has a bound and honours its signal', async () => {
  for (const [options, code] of [
    [{}, 'timeout'],
    [{ signal: AbortSignal.abort() }, 'canceled'],
  ] as const) {
    const { connection, dials } = world({ close: () => new Promise(() => {}), closeTimeoutMs: 10 });
    const client = new Client();
    const first = connection.use(same);
    dials[0]?.resolve(client);
    await first;
    await expect(connection.end(options)).rejects.toMatchObject({ code });
    expect(client.calls).toEqual(['destroy']);
  }
});

test('commands begin in the order of the calls, whether these have a signal or not', async () => {
  const { connection, dials } = world();
  const begun: number[] = [];
  const { signal } = new AbortController();
  const calls = (first: number) =>
    Array.from({ length: 6 }, (_, index) =>
      connection.use(async () => void begun.push(first + index), index % 3 === 0 ? { signal } : {}),
    );
  const early = calls(0);
  dials[0]?.resolve(new Client());
  await Promise.all(early);
  await Promise.all(calls(6));
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test('a call that is aborted while it waits is not begun, and a command that throws is one that rejects', async () => {
  const { connection, dials } = world();
  const control = new AbortController();
  const begun: Client[] = [];
  const waiting = connection.use(async (client) => begun.push(client), { signal: control.signal });
  control.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'canceled', retrySafe: true });
  dials[0]?.resolve(new Client());
  const throwing = connection.use(() => {
    throw new Error('wrong');
  });
  await expect(throwing).rejects.toMatchObject({ code: 'unavailable', message: 'bus: wrong', retrySafe: false });
  expect(begun).toEqual([]);
});

test('it tells whether it is connected, where it knows', async () => {
  const { connection, dials } = world();
  expect(connection.isConnected).toBe(undefined);
  const refused = connection.use(same);
  dials[0]?.reject(new Error('nobody there'));
  await expect(refused).rejects.toMatchObject({ code: 'unavailable' });
  expect(connection.isConnected).toBe(false);
  const client = new Client();
  const next = connection.use(same);
  dials[1]?.resolve(client);
  await next;
  expect(connection.isConnected).toBe(true);
  client.isReady = false;
  expect(connection.isConnected).toBe(false);
  await connection.end();
  expect(connection.isConnected).toBe(undefined);
});

/** A client that does not come back by itself, and what loses it. */
class Mortal extends Client {
  lose: () => void = () => {};
  readonly lost = new Promise<void>((resolve) => {
    this.lose = resolve;
  });
}

test('a client that is lost for good fails what is under way, is let go of, and another one is dialled', async () => {
  const dialled: Mortal[] = [];
  const prepared: Client[] = [];
  let isDown = false;
  const { connection } = world({
    dial: async () => {
      if (isDown) throw new Error('nobody there');
      const client = new Mortal();
      dialled.push(client);
      return client;
    },
    whenLost: (client) => (client as Mortal).lost,
    prepare: async (client) => prepared.push(client),
  });
  const under = connection.use(() => new Promise(() => {}));
  const settled = expect(under).rejects.toMatchObject({ code: 'unavailable', retrySafe: false });
  await connection.use(same);
  isDown = true;
  dialled[0]?.lose();
  await settled;
  expect(dialled[0]?.calls).toEqual(['destroy']);
  await expect(connection.use(same)).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
  isDown = false;
  // Nobody calls: it comes back all the same.
  while (dialled.length < 2) await new Promise((resolve) => setImmediate(resolve));
  expect(await connection.use(same)).toBe(dialled[1]);
  expect(prepared).toEqual(dialled);
  await connection.end();
  expect(dialled[1]?.calls).toEqual(['close', 'destroy']);
});

test('a client that cannot be prepared is let go of, and the call fails without having begun', async () => {
  const client = new Client();
  const { connection, dials } = world({ prepare: () => Promise.reject(new Error('no exchange')) });
  const call = connection.use(() => expect.unreachable());
  dials[0]?.resolve(client);
  await expect(call).rejects.toMatchObject({ code: 'unavailable', message: 'bus: no exchange', retrySafe: true });
  expect(client.calls).toEqual(['destroy']);
});

test('ending fails what is under way and does not end', async () => {
  const { connection, dials } = world();
  const client = new Client();
  const call = connection.use(() => new Promise(() => {}));
  const settled = expect(call).rejects.toMatchObject({ code: 'unavailable', retrySafe: false });
  dials[0]?.resolve(client);
  await connection.use(same);
  await connection.end();
  await settled;
});
