import type { Clock } from './clock.ts';
import { Link } from './link.ts';
import type { Machine } from './machine.ts';
import type { Random } from './random.ts';

/** What a client writes. */
export type ClientOperation =
  | { readonly kind: 'publish'; readonly message: WireMessage }
  | { readonly kind: 'subscribe'; readonly id: number; readonly subject: string; readonly queue: string | undefined }
  | { readonly kind: 'unsubscribe'; readonly id: number }
  | { readonly kind: 'ping' };

/** What a server writes. */
export type ServerOperation =
  | { readonly kind: 'message'; readonly id: number; readonly message: WireMessage }
  | { readonly kind: 'pong' };

export interface WireMessage {
  readonly subject: string;
  readonly reply: string | undefined;
  /** A NATS header block; empty where there are no headers. */
  readonly header: Uint8Array;
  readonly data: Uint8Array;
}

export interface NatsTraits {
  readonly maxPayload: number;
  /** The longest that something takes one way; most takes less. */
  readonly latencyMs: number;
  /** How often an announcement of a registry comes twice. */
  readonly duplicates: number;
}

interface Interest {
  readonly tokens: readonly string[];
  readonly queue: string | undefined;
}

const noBytes = new Uint8Array(0);
const noResponders = Buffer.from('NATS/1.0 503\r\n\r\n');

/** A client's connection as the server has it. */
export class ServerConnection {
  readonly interests: Map<number, Interest> = new Map();
  readonly toServer: Link<ClientOperation>;
  readonly toClient: Link<ServerOperation>;

  constructor(server: SimulatedNatsServer, reader: Machine, read: (operation: ServerOperation) => void) {
    this.toServer = new Link(server.clock, 'world', server, (operation) => server.take(this, operation));
    this.toClient = new Link(server.clock, reader, server, read);
  }
}

/** A nats-server: subjects with wildcards, queue groups, no responders. It keeps nothing. */
export class SimulatedNatsServer {
  readonly clock: Clock;
  readonly traits: NatsTraits;
  readonly #random: Random;
  readonly connections: Set<ServerConnection> = new Set();

  constructor(clock: Clock, random: Random, traits: NatsTraits) {
    this.clock = clock;
    this.traits = traits;
    this.#random = random;
  }

  /** How many subscriptions it holds. */
  get subscriptions(): number {
    let count = 0;
    for (const { interests } of this.connections) count += interests.size;
    return count;
  }

  /** A few things take long, so that connections overtake each other. */
  delayMs(): number {
    const { latencyMs } = this.traits;
    return this.#random.chance(0.1) ? this.#random.next() * latencyMs : this.#random.next() * Math.min(latencyMs, 1);
  }

  connect(reader: Machine, read: (operation: ServerOperation) => void): ServerConnection {
    const connection = new ServerConnection(this, reader, read);
    this.connections.add(connection);
    return connection;
  }

  forget(connection: ServerConnection): void {
    this.connections.delete(connection);
    connection.interests.clear();
    connection.toServer.cut();
    connection.toClient.cut();
  }

  take(connection: ServerConnection, operation: ClientOperation): void {
    switch (operation.kind) {
      case 'subscribe':
        connection.interests.set(operation.id, { tokens: operation.subject.split('.'), queue: operation.queue });
        break;
      case 'unsubscribe':
        connection.interests.delete(operation.id);
        break;
      case 'ping':
        connection.toClient.send({ kind: 'pong' });
        break;
      case 'publish':
        this.#publish(connection, operation.message);
        break;
    }
  }

  #publish(from: ServerConnection, message: WireMessage): void {
    const isTwice = /^(micro|ts-micro)\..*watch/.test(message.subject) && this.#random.chance(this.traits.duplicates);
    if (this.#route(message) === 0) {
      if (message.reply !== undefined) this.#refuse(from, message.reply);
    } else if (isTwice) this.#route(message);
  }

  #route(message: WireMessage): number {
    const tokens = message.subject.split('.');
    const members = new Map<string, [ServerConnection, number][]>();
    let count = 0;
    for (const connection of this.connections) {
      for (const [id, interest] of connection.interests) {
        if (!covers(interest.tokens, tokens)) continue;
        count++;
        if (interest.queue === undefined) connection.toClient.send({ kind: 'message', id, message });
        else {
          const group = `${interest.tokens.join('.')} ${interest.queue}`;
          const list = members.get(group) ?? [];
          list.push([connection, id]);
          members.set(group, list);
        }
      }
    }
    for (const list of members.values()) {
      const chosen = list[this.#random.below(list.length)];
      chosen?.[0].toClient.send({ kind: 'message', id: chosen[1], message });
    }
    return count;
  }

  #refuse(connection: ServerConnection, reply: string): void {
    const tokens = reply.split('.');
    for (const [id, interest] of connection.interests) {
      if (!covers(interest.tokens, tokens)) continue;
      const message: WireMessage = { subject: reply, reply: undefined, header: noResponders, data: noBytes };
      connection.toClient.send({ kind: 'message', id, message });
      return;
    }
  }
}

function covers(pattern: readonly string[], subject: readonly string[]): boolean {
  for (let index = 0; index < pattern.length; index++) {
    const token = pattern[index];
    if (token === '>') return subject.length > index;
    if (index >= subject.length || (token !== '*' && token !== subject[index])) return false;
  }
  return pattern.length === subject.length;
}
