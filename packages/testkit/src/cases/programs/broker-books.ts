import assert from 'node:assert/strict';
import { type BrokerEvent, type Message, topicMatcher } from '@ts-micro/core';
import { assertMessage } from '../../assertions.ts';
import { numbered, numberOf } from './contents.ts';

/** A message on its way; ticks tell what came before what. */
export interface Sent {
  readonly number: number;
  readonly topic: string;
  /** What is in order: the messages of one publisher on one topic. */
  readonly lane: string;
  readonly message: Message;
  readonly published: number;
  /** Everybody who must have it has it. */
  settled?: number;
}

/** The members of one queue on one topic. */
interface Group {
  readonly got: Set<number>;
  readonly members: Set<Member>;
  /** Since when a member is there without a gap. */
  coveredSince: number | undefined;
  readonly firstMember: number;
}

/** One subscription, and what came to it. */
export interface Member {
  readonly name: string;
  readonly pattern: string;
  readonly matches: (topic: string) => boolean;
  readonly group: Group | undefined;
  readonly concurrency: number;
  readonly called: number;
  /** It throws at messages that ask for it. */
  readonly throws: boolean;
  ready?: number;
  leaving?: number;
  isGone: boolean;
  running: number;
  readonly got: Set<number>;
  readonly reported: Set<number>;
  readonly last: Map<string, number>;
}

export type MemberInit = Pick<Member, 'name' | 'pattern' | 'concurrency' | 'throws'> & {
  readonly queue: string | undefined;
};

/**
 * What a broker owes to whom: the model of its contract. Whatever is not sure, such as what is on its way while a
 * subscriber joins or leaves, may come or not.
 */
export class BrokerBooks {
  readonly #isDurable: boolean;
  readonly #sent: Sent[] = [];
  readonly #members: Member[] = [];
  readonly #groups = new Map<string, Group>();
  readonly #onChange: () => void;
  #tick = 0;
  /** What went wrong first. */
  fault: string | undefined;

  constructor(isDurable: boolean, onChange: () => void) {
    this.#isDurable = isDurable;
    this.#onChange = onChange;
  }

  /** Notes a message before it is published. */
  send(topic: string, lane: string, message: Message): Sent {
    const number = this.#sent.length;
    const sent = { number, topic, lane, message: numbered(message, number), published: ++this.#tick };
    this.#sent.push(sent);
    return sent;
  }

  /** Notes a subscription before it is made. */
  join({ queue, ...init }: MemberInit): Member {
    const called = ++this.#tick;
    const key = `${queue} of ${init.pattern}`;
    let group = queue === undefined ? undefined : this.#groups.get(key);
    if (queue !== undefined && group === undefined) {
      group = { got: new Set(), members: new Set(), coveredSince: undefined, firstMember: called };
      this.#groups.set(key, group);
    }
    const member: Member = {
      ...init,
      matches: topicMatcher(init.pattern, 'the model'),
      group,
      called,
      isGone: false,
      running: 0,
      got: new Set(),
      reported: new Set(),
      last: new Map(),
    };
    this.#members.push(member);
    return member;
  }

  /** Notes that a subscription stands. */
  joined(member: Member): void {
    member.ready = ++this.#tick;
    if (member.group === undefined) return;
    member.group.members.add(member);
    member.group.coveredSince ??= member.ready;
  }

  /** Notes that a subscription is about to end. */
  leave(member: Member): void {
    member.leaving = ++this.#tick;
    member.group?.members.delete(member);
    if (member.group?.members.size === 0) member.group.coveredSince = undefined;
  }

  /** Notes that it has ended. */
  left(member: Member): void {
    member.isGone = true;
    if (member.running > 0) this.#fail(`${member.name} closed with ${member.running} of its handlers running`);
  }

  /** What a member's handler does first. */
  begin(member: Member, event: BrokerEvent): Sent | undefined {
    member.running++;
    if (member.running > member.concurrency)
      this.#fail(`${member.running} handlers of ${member.name} run at once, where ${member.concurrency} may`);
    const sent = this.#sent[numberOf(event.message)];
    try {
      assert.ok(sent, 'a message came that nobody published');
      this.#check(member, sent, event);
    } catch (error) {
      this.#fail(`${sent ? nameOf(sent) : 'something'} at ${member.name}: ${(error as Error).message}`);
    }
    return sent;
  }

  /** What a member's handler does last. */
  end(member: Member): void {
    member.running--;
    this.#onChange();
  }

  /** What a member's `onError` was told. */
  report(member: Member, error: Error, event: BrokerEvent | undefined): void {
    const number = event === undefined ? Number.NaN : numberOf(event.message);
    if (member.throws && (error as { code?: string }).code === 'internal') member.reported.add(number);
    else this.#fail(`${member.name} was told of ${error}`);
    this.#onChange();
  }

  /** Returns what has not come yet and must; empty where everybody has what is his. */
  owed(): string[] {
    return this.#members.flatMap((member) => this.#owedTo(member)).concat(this.#owedToGroups());
  }

  /** Notes that nothing is owed of what was published until now. */
  settle(): void {
    this.#tick++;
    for (const sent of this.#sent) sent.settled ??= this.#tick;
  }

  /** The topics on which a lane has something that is not settled. */
  unsettled(): readonly Sent[] {
    return this.#sent.filter(({ settled }) => settled === undefined);
  }

  #owedTo(member: Member): string[] {
    if (member.ready === undefined || member.leaving !== undefined) return [];
    const late = member.throws ? [...member.got].filter((number) => this.#isBomb(number)) : [];
    const unreported = late.filter((number) => !member.reported.has(number));
    const untold = unreported.map((number) => `onError of ${member.name} was not told of message ${number}`);
    if (member.group !== undefined) return untold;
    const { ready } = member;
    return this.unsettled()
      .filter(({ topic, number, published }) => ready < published && member.matches(topic) && !member.got.has(number))
      .map((sent) => `${nameOf(sent)} did not come to ${member.name}`)
      .concat(untold);
  }

  #owedToGroups(): string[] {
    return [...this.#groups].flatMap(([name, group]) => {
      const [member] = group.members;
      if (member === undefined || group.coveredSince === undefined) return [];
      const since = this.#isDurable ? this.#firstReady(group) : group.coveredSince;
      return this.#sent
        .filter(({ settled }) => this.#isDurable || settled === undefined)
        .filter(({ topic, number, published }) => since < published && member.matches(topic) && !group.got.has(number))
        .map((sent) => `${nameOf(sent)} did not come to queue ${name}`);
    });
  }

  #firstReady(group: Group): number {
    const times = this.#members.filter((member) => member.group === group).map(({ ready }) => ready ?? Infinity);
    return Math.min(...times);
  }

  #check(member: Member, sent: Sent, event: BrokerEvent): void {
    const { group, concurrency } = member;
    assert.equal(event.topic, sent.topic, 'the topic of its event');
    assert.ok(member.matches(sent.topic), `it came to a subscription of ${member.pattern}`);
    assertMessage(event.message, sent.message, 'it');
    assert.ok(!member.isGone, 'it came after the close');
    assert.ok(!member.got.has(sent.number), 'it came twice');
    assert.ok(!group?.got.has(sent.number), 'it came to two members of a queue');
    const since = group && this.#isDurable ? group.firstMember : member.called;
    assert.ok(sent.settled === undefined || sent.settled > since, 'it was published and delivered before');
    member.got.add(sent.number);
    group?.got.add(sent.number);
    if (group || concurrency > 1) return;
    const last = member.last.get(sent.lane) ?? -1;
    member.last.set(sent.lane, Math.max(last, sent.number));
    assert.ok(last < sent.number, `it came after message ${last} of the same publisher`);
    const lost = this.#sent.find(
      ({ number, lane, published }) =>
        lane === sent.lane && number < sent.number && (member.ready ?? Infinity) < published && !member.got.has(number),
    );
    assert.equal(lost, undefined, `it came, and message ${lost?.number} before it did not`);
  }

  #isBomb(number: number): boolean {
    return isBomb(this.#sent[number]);
  }

  #fail(fault: string): void {
    this.fault ??= fault;
    this.#onChange();
  }
}

/** True for a message that asks handlers to throw. */
export function isBomb(sent: Sent | undefined): boolean {
  return sent?.message.headers['Program-Throw'] === 'yes';
}

function nameOf({ number, topic }: Sent): string {
  return `message ${number} on ${topic}`;
}
