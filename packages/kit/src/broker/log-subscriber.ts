import type { AbortOptions, BrokerEvent } from '@ts-micro/core';
import { pause } from '../lifecycle/timers.ts';
import { OffsetTracker } from './offset-tracker.ts';
import { type Delivery, SettlingSubscriber, type SettlingSubscriberOptions } from './settling-subscriber.ts';

/** A message of a log that is cut into partitions, each with an order of its own. */
export interface LogRecord {
  readonly partition: number;
  readonly offset: bigint;
}

export interface LogSubscriberOptions extends Omit<SettlingSubscriberOptions<Delivery>, 'stop' | 'onSettled'> {
  /** Whether events tell the number of their delivery. */
  readonly isCounted: boolean;
}

const commitAfterMs = 50;
const mostWaiting = 1024;

/**
 * A subscriber that reads partitions of a log, alone or as one of a group that shares them. What its handler has done
 * with is committed, a moment later and in the order of the log; the rest is read again, here or by another member.
 */
export abstract class LogSubscriber<Item extends LogRecord> extends SettlingSubscriber {
  readonly #tracker: OffsetTracker = new OffsetTracker();
  readonly #concurrency: number;
  readonly #isCounted: boolean;
  readonly #again = new Set<ReturnType<typeof setTimeout>>();
  #waiting: Item[] = [];
  #isHeldBack = false;
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
      for (const timer of this.#again) clearTimeout(timer);
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
    this.#tracker.keep(keep);
    for (const { partition, offset } of begin) this.#tracker.begin(partition, offset);
  }

  /** Hands nothing out while partitions change hands, and commits what is done. */
  protected holdBack(): void {
    this.#isHeldBack = true;
    void this.commit();
  }

  /** Partitions have changed hands: those that this member has kept go on where they were. */
  protected goOn(): void {
    if (!this.#isHeldBack) return;
    this.#isHeldBack = false;
    const ours = this.partitions;
    this.#tracker.keep(ours);
    this.#waiting = this.#waiting.filter(({ partition }) => ours.includes(partition));
    this.#handOut();
  }

  /** Writes down what is done. */
  protected async commit(): Promise<void> {
    const offsets = this.#tracker.takeChanges();
    // Where it fails, the session is lost or the partitions are another's: they are read again from before.
    if (offsets.length > 0) await this.writeOffsets(offsets).catch(() => {});
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

  #hand(item: Item, delivery: number): void {
    this.push({
      event: () => ({ ...this.eventOf(item), ...(this.#isCounted && { delivery }) }),
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
          this.#hand(item, delivery + 1);
        }, pauseMs);
        this.#again.add(timer);
      },
    });
  }
}
