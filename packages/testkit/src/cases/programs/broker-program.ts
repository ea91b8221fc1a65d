import assert from 'node:assert/strict';
import type { Broker, Subscriber } from '@ts-micro/core';
import fc from 'fast-check';
import { message, rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import type { BrokerContext } from '../broker/topic.ts';
import { BrokerBooks, isBomb, type Member } from './broker-books.ts';
import { contents } from './contents.ts';
import { holdsForPrograms } from './holds-for-programs.ts';

const brokerCount = 3;
const topics = ['a', 'a.b', 'a.c', 'b'];
const patterns = ['*', '>', 'a.*', '*.b'];

const bomb = () => message('a handler may throw', { 'Program-Throw': 'yes' });
const kinds = [...contents, bomb];

const anyBroker = fc.nat({ max: brokerCount - 1 });
const anyTopic = fc.nat({ max: topics.length - 1 });
const pick = fc.nat({ max: 99 });

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constant('subscribe' as const),
      broker: anyBroker,
      topic: anyTopic,
      isPattern: fc.boolean(),
      queue: fc.constantFrom(undefined, undefined, 'workers', 'auditors'),
      concurrency: fc.constantFrom(1, 1, 3),
      throws: fc.boolean(),
      turns: fc.nat({ max: 2 }),
      isAwaited: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constant('publish' as const),
      broker: anyBroker,
      topic: anyTopic,
      count: fc.integer({ min: 1, max: 12 }),
      content: fc.nat({ max: kinds.length - 1 }),
      isAwaited: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('unsubscribe' as const), pick, isAwaited: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('settle' as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('disconnect' as const, 'reopen'), broker: anyBroker }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('refuse' as const), broker: anyBroker, topic: anyTopic }) },
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
type StepOf<D extends Step['does']> = Extract<Step, { readonly does: D }>;

export const brokerPrograms: readonly ContractCase<'broker'>[] = casesOf('broker', 'Broker', [
  {
    id: 'broker/any-program',
    title: 'any program of subscribing, publishing and leaving delivers what is due, and nothing else',
    runsPrograms: true,
    run: (context) =>
      holdsForPrograms(context, {
        step,
        run: (_, steps, say) => new BrokerProgram(context, say).run(steps),
      }),
  },
]);

interface Joined {
  readonly member: Member;
  readonly subscriber: Subscriber;
  readonly slot: number;
}

class BrokerProgram {
  readonly #context: BrokerContext;
  readonly #say: (line: string) => void;
  readonly #base: string;
  readonly #changes;
  readonly #books: BrokerBooks;
  readonly #brokers: Broker[] = [];
  /** How often the broker of each slot was opened, as a lane is of one instance. */
  readonly #lives: number[] = Array.from({ length: brokerCount }, () => 1);
  #joined: Joined[] = [];
  #underWay: Promise<void>[] = [];
  #names = 0;

  constructor(context: BrokerContext, say: (line: string) => void) {
    this.#context = context;
    this.#say = say;
    this.#base = context.unique('topic');
    this.#changes = context.inbox<undefined>('deliveries');
    const isDurable = context.supports.durableQueues === true;
    this.#books = new BrokerBooks(isDurable, () => this.#changes.put(undefined));
  }

  async run(steps: readonly Step[]): Promise<void> {
    try {
      await this.#begin();
      for (const step of steps) await this.#take(step);
      // What came too much comes before the second fence at the latest.
      for (const _ of ['first', 'second']) await this.#settle();
    } finally {
      const closing = Promise.allSettled([...this.#underWay, ...this.#brokers.map((broker) => broker.close())]);
      await this.#context.within(closing, 'closing the brokers of a program');
      this.#check();
    }
  }

  /** The last broker is a witness of everything: what it has heard has been published. */
  async #begin(): Promise<void> {
    for (let slot = 0; slot <= brokerCount; slot++) this.#brokers.push(await this.#context.open());
    for (const topic of topics) {
      const pattern = this.#topic(topic);
      const member = this.#books.join({
        name: 'the witness',
        pattern,
        queue: undefined,
        concurrency: 1,
        throws: false,
      });
      await this.#subscribe(brokerCount, member, undefined, 0);
    }
  }

  async #take(step: Step): Promise<void> {
    switch (step.does) {
      case 'subscribe':
        return this.#onSubscribe(step);
      case 'publish':
        return this.#onPublish(step);
      case 'unsubscribe':
        return this.#onUnsubscribe(step);
      case 'settle':
        this.#say('what was published arrives');
        return this.#settle();
      case 'disconnect':
        return this.#onDisconnect(step.broker);
      case 'reopen':
        return this.#onReopen(step.broker);
      case 'refuse':
        return this.#onRefuse(step);
    }
  }

  async #onSubscribe({ broker, isPattern, throws, ...step }: StepOf<'subscribe'>): Promise<void> {
    const { queues, wildcards } = this.#context.supports;
    const suffix = (isPattern && wildcards ? patterns : topics)[step.topic] ?? '';
    // Whether two patterns that overlap share a queue of one name is nobody's promise.
    const name = suffix.includes('*') || suffix.includes('>') ? `${step.queue}-${step.topic}` : step.queue;
    const queue = step.queue === undefined || !queues ? undefined : name;
    const member = this.#books.join({
      name: `subscriber ${++this.#names}`,
      pattern: this.#topic(suffix),
      queue,
      concurrency: step.concurrency,
      throws: throws && queue === undefined,
    });
    const manners = [
      ...(queue === undefined ? [] : [`in queue ${queue}`]),
      ...(step.concurrency > 1 ? [`${step.concurrency} at once`] : []),
      ...(member.throws ? ['may throw'] : []),
      ...(step.isAwaited ? [] : ['not awaited']),
    ];
    const words = manners.length > 0 ? ` (${manners.join(', ')})` : '';
    this.#say(`broker ${broker} subscribes to ${suffix}: ${member.name}${words}`);
    await this.#start(step.isAwaited, this.#subscribe(broker, member, queue, step.turns));
  }

  async #subscribe(slot: number, member: Member, queue: string | undefined, turns: number): Promise<void> {
    const isDurable = queue !== undefined && this.#context.supports.durableQueues === true;
    const subscribing = this.#broker(slot).subscribe(
      member.pattern,
      (event) => {
        const sent = this.#books.begin(member, event);
        if (turns === 0 && !(member.throws && isBomb(sent))) return this.#books.end(member);
        return this.#handle(member, turns, member.throws && isBomb(sent));
      },
      {
        queue,
        concurrency: member.concurrency,
        onError: (error, event) => this.#books.report(member, error, event),
        ...(isDurable && { durable: true }),
      },
    );
    const subscriber = await this.#context.within(subscribing, `subscribing to ${member.pattern}`);
    this.#books.joined(member);
    this.#joined.push({ member, subscriber, slot });
  }

  async #handle(member: Member, turns: number, throws: boolean): Promise<void> {
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    this.#books.end(member);
    if (throws) throw new Error('a handler throws, on purpose');
  }

  async #onPublish({ broker, topic, count, content, isAwaited }: StepOf<'publish'>): Promise<void> {
    const suffix = topics[topic] ?? '';
    const from = this.#publish(broker, suffix, kinds[content] ?? bomb, count);
    const what = count === 1 ? `message ${from.first}` : `messages ${from.first} to ${from.first + count - 1}`;
    this.#say(`broker ${broker} publishes ${what} on ${suffix}${isAwaited ? '' : ' (not awaited)'}`);
    await this.#start(isAwaited, from.published);
  }

  #publish(
    slot: number,
    suffix: string,
    make: () => ReturnType<typeof message>,
    count: number,
  ): { readonly first: number; readonly published: Promise<void> } {
    const topic = this.#topic(suffix);
    const lane = `${slot}, ${this.#lives[slot]}: ${topic}`;
    const all = Array.from({ length: count }, () => this.#books.send(topic, lane, make()));
    const publishing = Promise.all(all.map((sent) => this.#broker(slot).publish(topic, sent.message)));
    const published = this.#context.within(publishing, `publishing on ${topic}`).then(() => {});
    return { first: all[0]?.number ?? 0, published };
  }

  async #onUnsubscribe(step: StepOf<'unsubscribe'>): Promise<void> {
    // The witness stays.
    const open = this.#joined.slice(topics.length);
    const chosen = open[step.pick % open.length];
    if (chosen === undefined) return;
    this.#say(`${chosen.member.name} closes${step.isAwaited ? '' : ' (not awaited)'}`);
    this.#books.leave(chosen.member);
    this.#joined = this.#joined.filter((each) => each !== chosen);
    const closing = this.#context.within(chosen.subscriber.close(), `closing ${chosen.member.name}`);
    await this.#start(
      step.isAwaited,
      closing.then(() => this.#books.left(chosen.member)),
    );
  }

  async #onDisconnect(slot: number): Promise<void> {
    this.#say(`broker ${slot} disconnects, is refused, and connects again`);
    const broker = this.#broker(slot);
    await this.#end(slot, () => broker.disconnect());
    const publishing = this.#context.within(broker.publish(this.#topic('a'), message('nobody has this')), 'publish');
    const error = await rejection(publishing, 'publishing while disconnected', 'unavailable');
    assert.ok(error.retrySafe, 'publishing while disconnected is safe to retry');
    await this.#context.within(broker.connect(), 'connecting again');
  }

  async #onReopen(slot: number): Promise<void> {
    this.#say(`broker ${slot} closes, and another takes its place`);
    const broker = this.#broker(slot);
    await this.#end(slot, () => broker.close());
    const publishing = this.#context.within(broker.publish(this.#topic('a'), message('nobody has this')), 'publish');
    await rejection(publishing, 'publishing after close', 'closed');
    this.#brokers[slot] = await this.#context.open();
    this.#lives[slot] = (this.#lives[slot] ?? 0) + 1;
  }

  /** Ends a broker and its subscribers. What is under way then may come or not, so nothing is. */
  async #end(slot: number, end: () => Promise<void>): Promise<void> {
    await this.#everythingDone();
    const leaving = this.#joined.filter((each) => each.slot === slot);
    this.#joined = this.#joined.filter((each) => each.slot !== slot);
    for (const { member } of leaving) this.#books.leave(member);
    await this.#context.within(end(), `ending broker ${slot}`);
    for (const { member, subscriber } of leaving) {
      await this.#context.within(subscriber.closed, `the end of ${member.name} with its broker`);
      this.#books.left(member);
    }
  }

  async #onRefuse({ broker, topic }: StepOf<'refuse'>): Promise<void> {
    this.#say(`broker ${broker} is given what it must refuse`);
    const { publish } = { publish: this.#broker(broker).publish.bind(this.#broker(broker)) };
    const on = this.#topic(topics[topic] ?? '');
    const refused = message('nobody has this');
    const all = [
      ['invalid', publish(`${on}.*`, refused)],
      ['invalid', publish(on, message('nobody has this', { 'a b': 'x' }))],
      ['canceled', publish(on, refused, { signal: AbortSignal.abort() })],
    ] as const;
    for (const [code, refusal] of all)
      await rejection(this.#context.within(refusal, 'publish'), 'what must be refused', code);
  }

  /**
   * Waits until everybody has what is due. Each publisher sends one more where something of it is on its way, so that
   * what is lost shows when that arrives.
   */
  async #settle(): Promise<void> {
    await this.#everythingDone();
    const lanes = new Map(this.#books.unsettled().map((sent) => [sent.lane, sent]));
    for (const { lane, topic } of lanes.values()) {
      const slot = Number(lane.split(',', 1)[0]);
      if (!lane.startsWith(`${slot}, ${this.#lives[slot]}:`)) continue;
      await this.#publish(slot, topic.slice(this.#base.length + 1), () => message('after the others'), 1).published;
    }
    const isSettled = () => this.#books.fault !== undefined || this.#books.owed().length === 0;
    if (!isSettled()) {
      await this.#changes.when(isSettled, 'everybody to have what is due', this.#context.ms(10_000)).catch((error) => {
        throw new Error(`${this.#books.owed()[0]}: ${error.message}`, { cause: error });
      });
    }
    this.#check();
    this.#books.settle();
  }

  #check(): void {
    if (this.#books.fault !== undefined) throw new Error(this.#books.fault);
  }

  async #start(isAwaited: boolean, doing: Promise<void>): Promise<void> {
    doing.catch(() => {});
    if (isAwaited) await doing;
    else this.#underWay.push(doing);
  }

  async #everythingDone(): Promise<void> {
    await Promise.all(this.#underWay);
    this.#underWay = [];
  }

  #topic(suffix: string): string {
    return `${this.#base}.${suffix}`;
  }

  #broker(slot: number): Broker {
    const broker = this.#brokers[slot];
    assert.ok(broker);
    return broker;
  }
}
