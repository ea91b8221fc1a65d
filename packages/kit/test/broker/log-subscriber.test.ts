import type { BrokerEvent, BrokerHandler } from '@ts-micro/core';
import { expect, test, vi } from 'vitest';
import { type LogRecord, LogSubscriber, safeLogger } from '../../src/index.ts';

type Offsets = readonly LogRecord[];

/** A log in memory, read by one member. */
class Reader extends LogSubscriber<LogRecord> {
  partitions: readonly number[] = [0, 1];
  readonly written: LogRecord[] = [];
  readonly flows: boolean[] = [];
  hasLeft = false;
  failures = 0;
  readonly #refused: LogRecord[] = [];

  constructor(handler: BrokerHandler, { maxDeliveries = 1, queue }: { maxDeliveries?: number; queue?: string } = {}) {
    super({
      ...{ what: 'log', topic: 'a', queue, handler, isCounted: maxDeliveries > 1, logger: safeLogger(undefined) },
      redelivery: { maxDeliveries, pauseMs: 1, maxPauseMs: 1, deadLetterTopic: undefined },
      publishDeadLetter: async () => {},
    });
  }

  /** Reads some records of a partition. */
  read(partition: number, ...offsets: readonly number[]): void {
    for (const offset of offsets) this.take({ partition, offset: BigInt(offset) });
  }

  changeHands(partitions: readonly number[]): void {
    this.holdBack();
    this.partitions = partitions;
    this.goOn();
  }

  stall(): void {
    this.holdBack();
  }

  readAgain(keep: readonly number[]): void {
    this.restart({ keep });
  }

  protected eventOf({ partition, offset }: LogRecord): BrokerEvent {
    return { topic: 'a', message: { headers: { at: `${partition}:${offset}` }, body: new Uint8Array() } };
  }

  /** What could not be written, as often as `failures` said. */
  get refused(): Offsets {
    return this.#refused;
  }

  protected async writeOffsets(offsets: Offsets): Promise<void> {
    if (this.failures-- <= 0) return void this.written.push(...offsets);
    this.#refused.push(...offsets);
    throw new Error('the group agrees anew');
  }

  protected flow(isWanted: boolean): void {
    this.flows.push(isWanted);
  }

  protected async leave(): Promise<void> {
    await this.commitLast();
    this.hasLeft = true;
  }
}

const nameOf = ({ message }: BrokerEvent): string => message.headers.at ?? '';

test('what is done is committed up to where everything is, and what is read twice is handled once', async () => {
  const names: string[] = [];
  await using reader = new Reader((event) => void names.push(nameOf(event)));
  reader.read(0, 5, 6, 6, 5, 7);
  await vi.waitFor(() => expect(reader.written.at(-1)).toEqual({ partition: 0, offset: 8n }));
  expect(names).toEqual(['0:5', '0:6', '0:7']);
});

test('nothing is handed out while partitions change hands, and nothing of one that has gone', async () => {
  const names: string[] = [];
  await using reader = new Reader((event) => void names.push(nameOf(event)));
  reader.stall();
  reader.read(0, 1);
  reader.read(1, 1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(names).toEqual([]);
  reader.changeHands([1]);
  reader.read(0, 2);
  await vi.waitFor(() => expect(names).toEqual(['1:1']));
});

test("after a restart a partition that is kept goes on, and one that was another member's is read again", async () => {
  const names: string[] = [];
  await using reader = new Reader((event) => void names.push(nameOf(event)));
  reader.read(0, 1, 2);
  reader.read(1, 1, 2);
  await vi.waitFor(() => expect(names).toHaveLength(4));
  reader.readAgain([0]);
  reader.read(0, 1, 2);
  reader.read(1, 1, 2);
  await vi.waitFor(() => expect(names.slice(4)).toEqual(['1:1', '1:2']));
});

test('a handler that throws has its message again with the number of the delivery, before the next one', async () => {
  const deliveries: string[] = [];
  const handler = (event: BrokerEvent): void => {
    deliveries.push(`${nameOf(event)} ${event.delivery}`);
    if (event.delivery === 1) throw new Error('not yet');
  };
  await using reader = new Reader(handler, { maxDeliveries: 3, queue: 'q' });
  reader.read(0, 1);
  await vi.waitFor(() => expect(deliveries).toEqual(['0:1 1', '0:1 2']));
  await vi.waitFor(() => expect(reader.written.at(-1)?.offset).toBe(2n));
});

test('records stop coming while many wait for a slow handler, and come again once there is room', async () => {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  await using reader = new Reader(() => opened);
  reader.read(0, ...Array.from({ length: 1100 }, (_, offset) => offset));
  expect(reader.flows.at(-1)).toBe(false);
  open();
  await vi.waitFor(() => expect(reader.flows.at(-1)).toBe(true));
});

test('a close waits for the handler, then leaves, and what it had not begun is not committed', async () => {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const names: string[] = [];
  const reader = new Reader(async (event) => {
    names.push(nameOf(event));
    await opened;
  });
  reader.read(0, 1, 2);
  await vi.waitFor(() => expect(names).toHaveLength(1));
  const closing = reader.close();
  expect(reader.hasLeft).toBe(false);
  open();
  await closing;
  expect(reader.hasLeft).toBe(true);
  expect(names).toEqual(['0:1']);
  await vi.waitFor(() => expect(reader.written).toEqual([{ partition: 0, offset: 2n }]));
});

test('what was handed out and has not begun as partitions change hands begins where they are now', async () => {
  const names: string[] = [];
  await using reader = new Reader((event) => void names.push(nameOf(event)), { queue: 'q' });
  reader.read(0, 1);
  reader.changeHands([1]);
  reader.read(1, 1);
  reader.stall();
  reader.changeHands([1]);
  reader.read(1, 2);
  await vi.waitFor(() => expect(names).toEqual(['1:1', '1:2']));
  expect(reader.written.some(({ partition }) => partition === 0)).toBe(false);
});

test('what had not begun as a session was lost is handled once, where it is read again', async () => {
  const names: string[] = [];
  await using reader = new Reader((event) => void names.push(nameOf(event)), { queue: 'q' });
  reader.read(0, 1);
  reader.readAgain([]);
  reader.read(0, 1, 2);
  await vi.waitFor(() => expect(names).toEqual(['0:1', '0:2']));
});

test('what is done while partitions change hands is committed after it, and a close waits for that', async () => {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const names: string[] = [];
  const handler = (event: BrokerEvent): Promise<void> => {
    names.push(nameOf(event));
    return opened;
  };
  const reader = new Reader(handler, { queue: 'q' });
  reader.read(0, 1);
  await vi.waitFor(() => expect(names).toHaveLength(1));
  reader.stall();
  const closing = reader.close();
  open();
  await new Promise((resolve) => setImmediate(resolve));
  expect(reader.written).toEqual([]);
  expect(reader.hasLeft).toBe(false);
  reader.changeHands([0]);
  await closing;
  expect(reader.written).toEqual([{ partition: 0, offset: 2n }]);
});

test('what could not be committed is committed at the next time, at the latest at the close', async () => {
  const reader = new Reader(() => {}, { queue: 'q' });
  reader.failures = 1;
  reader.read(0, 1);
  await vi.waitFor(() => expect(reader.refused).toEqual([{ partition: 0, offset: 2n }]));
  await reader.close();
  expect(reader.written).toEqual([{ partition: 0, offset: 2n }]);
});

test('a group that does not agree does not hold a close for long', async () => {
  const reader = new Reader(() => {}, { queue: 'q' });
  reader.stall();
  await reader.close();
  expect(reader.hasLeft).toBe(true);
});
