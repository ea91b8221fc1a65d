import { MicroError, type Socket } from '@ts-micro/core';
import { memoryNetwork, memoryTransport } from '@ts-micro/memory';
import { describe, expect, it } from 'vitest';
import { ReadAhead } from '../../src/client/call/read-ahead.ts';

const mebibyte = 1024 * 1024;
const bodyOf = (bytes: number) => ({ headers: {}, body: new Uint8Array(bytes) });
const isEnd = () => false;

/** Reads ahead on a socket whose peer sends bodies of these sizes and closes. */
async function readAhead(sizes: readonly number[], isBounded: boolean) {
  const transport = memoryTransport({
    network: memoryNetwork(),
    maxQueuedMessages: 100_000,
    maxBodyBytes: 128 * mebibyte,
  });
  const listener = await transport.listen();
  await listener.accept(async (socket: Socket) => {
    for (const size of sizes) await socket.send(bodyOf(size));
  });
  const socket = await transport.dial(listener.address);
  await socket.send(bodyOf(0));
  const ahead = new ReadAhead(socket, { what: 'test', isBounded, isEnd });
  return { ahead, [Symbol.asyncDispose]: () => transport.close() };
}

async function countOf({ ahead }: { ahead: ReadAhead }): Promise<number> {
  for (let count = 0; ; count++) if ((await ahead.pull()) === undefined) return count;
}

describe('what is read ahead', () => {
  it('is all that came before the end, in order', async () => {
    await using world = await readAhead([1, 2, 3], true);
    expect(await world.ahead.done).toEqual({ failure: undefined, isFull: false });
    const lengths = [await world.ahead.pull(), await world.ahead.pull(), await world.ahead.pull()];
    expect(lengths.map((message) => message?.body.length)).toEqual([1, 2, 3]);
    expect(await world.ahead.pull()).toBeUndefined();
  });

  it.each([
    ['64 MiB of bodies', Array.from({ length: 65 }, () => mebibyte), 64],
    ['16,384 messages', Array.from({ length: 16_385 }, () => 1), 16_384],
  ])('is %s at most, and then rejects with `unavailable`', async (_bound, sizes, most) => {
    await using world = await readAhead(sizes, true);
    const { failure, isFull } = await world.ahead.done;
    expect(isFull).toBe(true);
    expect(failure).toMatchObject({ code: 'unavailable', message: expect.stringContaining(`${most} messages of`) });
    for (let count = 0; count < most; count++) expect(await world.ahead.pull()).toBeDefined();
    await expect(world.ahead.pull()).rejects.toBe(failure);
  });

  it('may be one message that is larger than the bound', async () => {
    await using world = await readAhead([64 * mebibyte + 1], true);
    expect(await countOf(world)).toBe(1);
  });

  it('counts what was not pulled yet', async () => {
    await using world = await readAhead(
      Array.from({ length: 200 }, () => mebibyte),
      true,
    );
    // Pulls wait for each message, so that never more than a few are held.
    expect(await countOf(world)).toBe(200);
  });

  it('is all where the peer keeps to a window', async () => {
    await using world = await readAhead(
      Array.from({ length: 16_385 }, () => 1),
      false,
    );
    expect(await world.ahead.done).toEqual({ failure: undefined, isFull: false });
    expect(await countOf(world)).toBe(16_385);
  });

  it('ends plainly where this side closes, and with its error where the socket fails', async () => {
    const transport = memoryTransport({ network: memoryNetwork() });
    const socket = await transport.dial('nobody');
    const ahead = new ReadAhead(socket, { what: 'test', isBounded: true, isEnd });
    await transport.close();
    expect((await ahead.done).failure).toBeUndefined();
    const other = memoryTransport({ network: memoryNetwork() });
    const unreached = await other.dial('nobody');
    await expect(unreached.send(bodyOf(1))).rejects.toBeInstanceOf(MicroError);
    const failed = new ReadAhead(unreached, { what: 'test', isBounded: true, isEnd });
    expect((await failed.done).failure).toMatchObject({ code: 'unavailable' });
    await other.close();
  });
});
