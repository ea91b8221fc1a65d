import { MicroError } from '@ts-micro/core';
import type { HandlerSubscriber, LazyConnection } from '@ts-micro/kit';
import type { IPublishPacket, MqttClient } from 'mqtt';
import type { MqttLink } from './mqtt-link.ts';

/** A message as it came, for a subscriber to make an event of. */
export interface Received {
  readonly topic: string;
  readonly body: Buffer;
  readonly properties: IPublishPacket['properties'] | undefined;
}

/** What the server knows of a filter, for all who subscribed to it here. */
interface Subscription {
  readonly filter: string;
  readonly id: number;
  readonly members: HandlerSubscriber<Received>[];
  /** Settles once the server has answered. */
  readonly ready: Promise<void>;
  isReady: boolean;
  /** From when the last member leaves; resolves once nothing more comes. */
  ending?: Promise<void>;
}

const largestId = 268_435_455;

/**
 * The filters that are subscribed at the server, each with a number. The server says with every message which of these
 * it is for: where filters overlap, nobody gets it twice.
 */
export class Subscriptions {
  readonly #who: string;
  readonly #connection: () => LazyConnection<MqttLink>;
  readonly #byFilter = new Map<string, Subscription>();
  readonly #byId = new Map<number, Subscription>();
  #lastId = 0;

  constructor(who: string, connection: () => LazyConnection<MqttLink>) {
    this.#who = who;
    this.#connection = connection;
  }

  /** Resolves once messages come. */
  async join(filter: string, member: HandlerSubscriber<Received>): Promise<void> {
    let subscription = this.#byFilter.get(filter);
    // The server would take its end for that of the new one.
    for (; subscription?.ending; subscription = this.#byFilter.get(filter)) await subscription.ending;
    subscription ??= this.#add(filter);
    subscription.members.push(member);
    await subscription.ready;
  }

  /** Resolves once no more messages come. */
  async leave(filter: string, member: HandlerSubscriber<Received>): Promise<void> {
    const subscription = this.#byFilter.get(filter);
    if (!subscription?.members.includes(member)) return;
    // The last one stays for what is on its way.
    if (subscription.members.length === 1) subscription.ending ??= this.#end(subscription);
    else subscription.members.splice(subscription.members.indexOf(member), 1);
    await subscription.ending;
  }

  /** Subscribes again on a link that is new. */
  async restore({ client }: MqttLink): Promise<void> {
    const known = [...this.#byId.values()].filter(({ isReady, ending }) => isReady && !ending);
    const restoring = known.map(async (subscription) => {
      try {
        await subscribe(client, subscription);
        if (subscription.ending) await client.unsubscribeAsync(subscription.filter);
      } catch (error) {
        if (!client.connected) throw error;
        // What is not allowed any more ends, and stops nothing else.
        const cause = MicroError.from(error, 'unauthorized', this.#who);
        for (const member of subscription.members) void member.fail(cause);
        this.#forget(subscription);
      }
    });
    await Promise.all(restoring);
  }

  /** Hands a message on, in a queue to each of its members in turn. */
  readonly deliver = (topic: string, body: Buffer, { properties }: IPublishPacket): void => {
    for (const id of [properties?.subscriptionIdentifier ?? []].flat()) {
      const { members = [], filter = '' } = this.#byId.get(id) ?? {};
      const chosen = filter.startsWith('$share/') ? members.splice(0, 1) : members;
      for (const member of chosen) member.push({ topic, body, properties });
      if (chosen !== members) members.push(...chosen);
    }
  };

  #add(filter: string): Subscription {
    do this.#lastId = (this.#lastId % largestId) + 1;
    while (this.#byId.has(this.#lastId));
    const id = this.#lastId;
    const ready = this.#connection().use(({ client }) => subscribe(client, { filter, id }));
    const subscription: Subscription = { filter, id, members: [], ready, isReady: false };
    this.#byFilter.set(filter, subscription);
    this.#byId.set(id, subscription);
    const onReady = (): void => {
      subscription.isReady = true;
    };
    ready.then(onReady, () => this.#forget(subscription));
    return subscription;
  }

  async #end(subscription: Subscription): Promise<void> {
    try {
      await subscription.ready;
      const connection = this.#connection();
      // On a link to come it is left out.
      if (connection.isConnected) await connection.use(({ client }) => client.unsubscribeAsync(subscription.filter));
    } catch {
      // It ended with its link.
    } finally {
      this.#forget(subscription);
    }
  }

  #forget({ filter, id }: Subscription): void {
    this.#byId.delete(id);
    if (this.#byFilter.get(filter)?.id === id) this.#byFilter.delete(filter);
  }
}

async function subscribe(client: MqttClient, { filter, id }: Pick<Subscription, 'filter' | 'id'>): Promise<void> {
  // Handled at most once, so not acknowledged either; and nothing that was retained, for it is from before.
  await client.subscribeAsync(filter, { qos: 0, rh: 2, properties: { subscriptionIdentifier: id } });
}
