import { Fifo } from './fifo.ts';

/** What waits of one peer. */
export interface PeerQueue<Item> {
  readonly peer: string;
  readonly size: number;
  readonly bytes: number;
  /** The oldest item, and the newest; they stay. */
  peek(): Item;
  peekNewest(): Item;
}

class Queue<Item> implements PeerQueue<Item> {
  readonly peer: string;
  readonly items = new Fifo<Item>();
  bytes = 0;

  constructor(peer: string) {
    this.peer = peer;
  }

  get size(): number {
    return this.items.size;
  }

  // No queue without an item is kept.
  peek(): Item {
    return this.items.peek() as Item;
  }

  peekNewest(): Item {
    return this.items.peekNewest() as Item;
  }
}

/**
 * What waits of many peers, a queue for each that has any. Each peer has its turn, so whoever brings much waits behind
 * itself alone, and the one with most can be made to give way.
 */
export class PeerQueues<Item> {
  readonly #bytesOf: (item: Item) => number;
  readonly #queues = new Map<string, Queue<Item>>();
  #size = 0;
  #bytes = 0;

  /** @param bytesOf the memory of an item, always the same. @default 0 */
  constructor(bytesOf: (item: Item) => number = () => 0) {
    this.#bytesOf = bytesOf;
  }

  /** How many items wait, of all peers. */
  get size(): number {
    return this.#size;
  }

  /** The bytes of all that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The queue whose turn it is; `undefined` where nothing waits. */
  get next(): PeerQueue<Item> | undefined {
    return this.#queues.values().next().value;
  }

  /** The queues in the order of their turns. */
  [Symbol.iterator](): Iterator<PeerQueue<Item>> {
    return this.#queues.values();
  }

  /** The queue of a peer; `undefined` where nothing of it waits. */
  of(peer: string): PeerQueue<Item> | undefined {
    return this.#queues.get(peer);
  }

  /** The queue with the most items, or bytes; `undefined` where nothing waits. */
  largest(by: 'size' | 'bytes'): PeerQueue<Item> | undefined {
    let most: Queue<Item> | undefined;
    for (const queue of this.#queues.values()) if (most === undefined || queue[by] > most[by]) most = queue;
    return most;
  }

  push(peer: string, item: Item): void {
    let queue = this.#queues.get(peer);
    if (queue === undefined) {
      queue = new Queue(peer);
      this.#queues.set(peer, queue);
    }
    const bytes = this.#bytesOf(item);
    queue.items.push(item);
    queue.bytes += bytes;
    this.#size++;
    this.#bytes += bytes;
  }

  /** Takes an item out of the queue of a peer that has one. The peer keeps its turn. */
  take(peer: string, which: 'oldest' | 'newest' = 'oldest'): Item {
    const queue = this.#queues.get(peer) as Queue<Item>;
    const item = (which === 'oldest' ? queue.items.take() : queue.items.takeNewest()) as Item;
    const bytes = this.#bytesOf(item);
    queue.bytes -= bytes;
    this.#size--;
    this.#bytes -= bytes;
    if (queue.size === 0) this.#queues.delete(peer);
    return item;
  }

  /** Puts a peer behind all others, which have their turn before its next one. */
  endTurn(peer: string): void {
    const queue = this.#queues.get(peer);
    if (queue === undefined || this.#queues.size === 1) return;
    this.#queues.delete(peer);
    this.#queues.set(peer, queue);
  }

  /** Drops everything. */
  clear(): void {
    this.#queues.clear();
    this.#size = 0;
    this.#bytes = 0;
  }
}
