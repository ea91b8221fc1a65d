import type { AbortOptions, BrokerEvent } from '@ts-micro/core';
import { bounded } from '../lifecycle/bounded.ts';
import { pause } from '../lifecycle/timers.ts';
import { OffsetTracker } from './offset-tracker.ts';
import { type Delivery, SettlingSubscriber, type SettlingSubscriberOptions } from './settling-subscriber.ts';

/** A message of a log that is cut into partitions, each with an order of its own. */
export interface LogRecord {
  readonly partition: number;
  readonly offset: bigint;
}

export interface LogSubscriberOptions
  extends Omit<SettlingSubscriberOptions<Delivery>, 'stop' | 'onSettled' | 'bytesOf' | 'detach'> {
  /** Whether events tell the number of their delivery. */
  readonly isCounted: boolean;
}

/** A record that is handed out for the `number`th time. */
interface Turn<Item> {
  readonly item: Item;
  readonly number: number;
}

const commitAfterMs = 50;
const lastCommitMs = 2000;
const mostWaiting = 1024;

/**
 * A subscriber that reads partitions of a log, alone or as one of a group that shares them. What its handler has done
 * with is committed, a moment later and in the order of the log; the rest is read again, here or by another member.
 */
export abstract class LogSubscriber<Item extends LogRecord> extends SettlingSubscriber<Delivery & Turn<Item>> {
  readonly #tracker: OffsetTracker = new OffsetTracker();
  readonly #concurrency: number;
  readonly #isCounted: boolean;
  readonly #again = new Map<ReturnType<typeof setTimeout>, Item>();
  readonly #writing = new Set<Promise<void>>();
  #waiting: Item[] = [];
  /** What was handed out, and taken back before its handlers began. */
  #unbegun: Turn<Item>[] = [];
  #isHeldBack = false;
  /** Resolves once partitions no longer change hands. */
  #agreed: Promise<void> = Promise.resolve();
  #agree: () => void = () => {};
  #committing: Promise<void> | undefined;

  /** Throws `invalid` as {@link SettlingSubscriber} does. */
  constructor(options: LogSubscriberOptions) {
    super({ ...options, stop: () => this.flow(false), onSettled: () => this.#handOut() });
    this.#concurrency = options.concurrency ?? 1;
    this.#isCounted = options.isCounted;
  }

  /** The partitions that are this member's now. */
  protected abstract get partitions(): readonly number[];

  /** Makes the event of a record; what it throws is reported as `malformed`, and the record is done. */
  protected abstract eventOf(item: Item): BrokerEvent;

  /** Writes down where to begin next time. Where it rejects, that is read again. */
  protected abstract writeOffsets(offsets: ReturnType<OffsetTracker['takeChanges']>): Promise<unknown>;

  /** Lets records come, or not for now. */
  protected abstract flow(isWanted: boolean): void;

  /** Leaves the group, and lets go of what it reads by; the last that happens. */
  protected abstract leave(options: AbortOptions): Promise<unknown>;

  override async close(options: AbortOptions = {}): Promise<void> {
    try {
      await super.close(options);
    } finally {
      for (const timer of this.#again.keys()) clearTimeout(timer);
      // The others hear of it now, or once they miss it.
      await this.leave(options).catch(() => {});
    }
  }

  /** Takes in what was read. */
  protected take(item: Item): void {
    this.#waiting.push(item);
    this.#handOut();
    if (this.#waiting.length >= mostWaiting) this.flow(false);
  }

  /** Forgets what waits, for it is read again from what is committed, and what is known of partitions of others. */
  protected restart({ keep, begin = [] }: { keep: readonly number[]; begin?: Iterable<LogRecord> }): void {
    this.#waiting = [];
    this.#unbegun.push(...this.takeUnbegun());
    this.#keep(keep);
    for (const { partition, offset } of begin) this.#tracker.begin(partition, offset);
    if (!this.#isHeldBack) this.#handAgain();
  }

  /** Begins nothing and commits nothing while partitions change hands; what is done by now is committed before. */
  protected holdBack(): void {
    if (this.#isHeldBack) return;
    this.#unbegun.push(...this.takeUnbegun());
    void this.commit();
    this.#isHeldBack = true;
    this.#agreed = new Promise((resolve) => {
      this.#agree = resolve;
    });
  }

  /** Partitions have changed hands: those that this member has kept go on where they were. */
  protected goOn(): void {
    if (!this.#isHeldBack) return;
    this.#isHeldBack = false;
    this.#agree();
    const ours = this.partitions;
    this.#waiting = this.#waiting.filter(({ partition }) => ours.includes(partition));
    this.#keep(ours);
    void this.commit();
    this.#handAgain();
    this.#handOut();
  }

  /** Writes down what is done. */
  protected async commit(): Promise<void> {
    // A group that is about to agree anew refuses it.
    if (this.#isHeldBack) return;
    const offsets = this.#tracker.takeChanges();
    if (offsets.length === 0) return;
    const writing = this.writeOffsets(offsets).then(
      () => {},
      // Written with the next ones, unless the session is lost: then they are read again from before.
      () => {
        for (const { partition } of offsets) this.#tracker.again(partition);
      },
    );
    this.#writing.add(writing);
    await writing;
    this.#writing.delete(writing);
  }

  /** Writes down all that is done, before this member leaves its group: once that agrees, or does not for long. */
  protected async commitLast(): Promise<void> {
    const all = async (): Promise<void> => {
      await this.#agreed;
      await Promise.all(this.#writing);
      await this.commit();
    };
    await bounded(all(), {}, lastCommitMs, 'the last commit').catch(() => {});
  }

  #keep(partitions: readonly number[]): void {
    const isOurs = ({ partition }: LogRecord): boolean => partitions.includes(partition);
    this.#tracker.keep(partitions);
    this.#unbegun = this.#unbegun.filter(({ item }) => isOurs(item));
    for (const [timer, item] of this.#again) {
      if (isOurs(item)) continue;
      clearTimeout(timer);
      this.#again.delete(timer);
    }
  }

  #handOut(): void {
    while (this.isOpen && !this.#isHeldBack && this.held.size < this.#concurrency) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      // A fetch that was under way brings messages of a partition that is another's by now.
      const isOurs = this.partitions.includes(next.partition) && this.#tracker.take(next.partition, next.offset);
      if (isOurs) this.#hand(next, 1);
    }
    if (this.isOpen && this.#waiting.length < mostWaiting / 2) this.flow(true);
  }

  #handAgain(): void {
    for (const { item, number } of this.#unbegun.splice(0)) this.#hand(item, number);
  }

  #hand(item: Item, number: number): void {
    this.push({
      item,
      number,
      event: () => ({ ...this.eventOf(item), ...(this.#isCounted && { delivery: number }) }),
      done: () => {
        this.#tracker.done(item.partition, item.offset);
        this.#committing ??= pause(commitAfterMs).then(() => {
          this.#committing = undefined;
          return this.commit();
        });
      },
      again: (pauseMs) => {
        // Stays as it is, and goes to another member.
        if (!this.isOpen) return;
        const timer = setTimeout(() => {
          this.#again.delete(timer);
          this.#unbegun.push({ item, number: number + 1 });
          if (!this.#isHeldBack) this.#handAgain();
        }, pauseMs);
        this.#again.set(timer, item);
      },
    });
  }
}
