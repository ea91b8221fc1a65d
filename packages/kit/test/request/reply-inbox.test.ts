import { MicroError } from '@ts-micro/core';
import { type ReplyEvents, ReplyInbox, type ReplySubscription } from '@ts-micro/kit';
import { expect, test } from 'vitest';

/** A bus of one process: what is published on a subject comes to the subscription whose base it begins with. */
class Bus {
  readonly subscriptions = new Map<string, ReplyEvents<string>>();
  readonly unknown: string[] = [];
  confirms = 0;
  refusal: MicroError | undefined;

  inbox(prefix = '_INBOX', separator?: string): ReplyInbox<string> {
    return new ReplyInbox<string>({
      what: 'bus',
      prefix,
      separator,
      subscribe: (base, events) => this.#subscribe(base, events),
      onUnknown: (reply) => this.unknown.push(reply),
    });
  }

  publish(subject: string, reply: string): void {
    for (const [base, events] of this.subscriptions) if (subject.startsWith(base)) events.onReply(subject, reply);
  }

  #subscribe(base: string, events: ReplyEvents<string>): ReplySubscription {
    this.subscriptions.set(base, events);
    return {
      confirm: async () => {
        this.confirms++;
        if (this.refusal) throw this.refusal;
      },
      unsubscribe: () => this.subscriptions.delete(base),
    };
  }
}

function receiver() {
  const replies: string[] = [];
  const ends: MicroError[] = [];
  return {
    replies,
    ends,
    onReply: (reply: string) => replies.push(reply),
    onInboxEnd: (cause: MicroError) => ends.push(cause),
  };
}

test('replies go to the receiver of their subject, until it is closed', () => {
  const bus = new Bus();
  const inbox = bus.inbox();
  const [one, other] = [receiver(), receiver()];
  const [first, second] = [inbox.open(one), inbox.open(other)];
  bus.publish(first, 'a');
  bus.publish(second, 'b');
  inbox.close(first);
  bus.publish(first, 'late');
  expect([one.replies, other.replies, bus.unknown]).toEqual([['a'], ['b'], ['late']]);
  expect([inbox.size, bus.subscriptions.size]).toEqual([1, 1]);
});

test('a reply subject is prefix, inbox and token, the latter two random', () => {
  const bus = new Bus();
  const subjects = [bus.inbox(), bus.inbox()].flatMap((inbox) => [inbox.open(receiver()), inbox.open(receiver())]);
  for (const subject of subjects) expect(subject).toMatch(/^_INBOX\.[0-9A-Za-z]{22}\.[0-9A-Za-z]{22}$/);
  expect(new Set(subjects.map((subject) => subject.split('.')[1])).size).toBe(2);
  expect(new Set(subjects.map((subject) => subject.split('.')[2])).size).toBe(4);
  expect(bus.inbox('reply', '/').open(receiver())).toMatch(/^reply\/[0-9A-Za-z]{22}\/[0-9A-Za-z]{22}$/);
});

test('`ready` waits for one confirmation that all share, and asks no second time', async () => {
  const bus = new Bus();
  const inbox = bus.inbox();
  await Promise.all([inbox.ready(), inbox.ready(), inbox.ready({ signal: AbortSignal.timeout(60_000) })]);
  await inbox.ready();
  expect(bus.confirms).toBe(1);
});

test('a refused confirmation rejects `ready` and is asked for again by the next one', async () => {
  const bus = new Bus();
  const inbox = bus.inbox();
  bus.refusal = new MicroError('unauthorized', 'bus: no');
  await expect(inbox.ready()).rejects.toBe(bus.refusal);
  bus.refusal = undefined;
  await inbox.ready();
  expect(bus.confirms).toBe(2);
});

test('`ready` ends with its signal while others wait on', async () => {
  const bus = new Bus();
  const inbox = bus.inbox();
  const others = inbox.ready();
  await expect(inbox.ready({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'canceled' });
  await others;
});

test('the end of the subscription ends every receiver once, and the next use subscribes anew under another inbox', () => {
  const bus = new Bus();
  const inbox = bus.inbox();
  const [one, other] = [receiver(), receiver()];
  const subject = inbox.open(one);
  const [events] = bus.subscriptions.values();
  bus.subscriptions.clear();
  const cause = new MicroError('unauthorized', 'bus: refused');
  events?.onEnd(cause);
  events?.onEnd(cause);
  expect(one.ends).toEqual([cause]);
  expect(inbox.size).toBe(0);
  const next = inbox.open(other);
  expect(next.split('.')[1]).not.toBe(subject.split('.')[1]);
  // What the old one says now concerns nobody.
  events?.onEnd(cause);
  bus.publish(next, 'hello');
  expect([other.replies, other.ends]).toEqual([['hello'], []]);
});

test('`endAll` ends the receivers and keeps the subscription', () => {
  const bus = new Bus();
  const inbox = bus.inbox();
  const one = receiver();
  inbox.open(one);
  inbox.endAll(new MicroError('unavailable', 'bus: lost'));
  expect(one.ends).toHaveLength(1);
  const other = receiver();
  bus.publish(inbox.open(other), 'hello');
  expect([other.replies, bus.subscriptions.size]).toEqual([['hello'], 1]);
});

test('`stop` unsubscribes, and forgets the receivers without a word', () => {
  const bus = new Bus();
  const inbox = bus.inbox();
  const one = receiver();
  inbox.open(one);
  inbox.stop();
  inbox.stop();
  expect([bus.subscriptions.size, inbox.size, one.ends]).toEqual([0, 0, []]);
});
