import { type AbortOptions, abortError, type Message, MicroError, type SendOptions } from '@ts-micro/core';
import { type Abortable, abortFanOut, Mailbox } from '@ts-micro/kit';
import type { Network } from '../network.ts';

/** A message that found the pipe full. */
interface Waiting {
  enter(): void;
  refuse(error: MicroError): void;
}

/**
 * One direction of a conversation. It holds up to `limit` messages that were not read yet; further writes wait for
 * room, in order.
 */
export class Pipe {
  readonly #network: Network;
  readonly #limit: number;
  readonly #what: string;
  readonly #mailbox: Mailbox<Message>;
  readonly #line = new Set<Waiting>();
  #held = 0;
  #hasReader = true;
  #hasEnded = false;
  #ended: Promise<void> | undefined;
  #resolveEnded: (() => void) | undefined;

  constructor(network: Network, limit: number, what: string) {
    this.#network = network;
    this.#limit = limit;
    this.#what = what;
    this.#mailbox = new Mailbox(what);
  }

  /** Resolves as soon as nothing more is written, or read, though some may wait to be read. */
  get ended(): Promise<void> {
    this.#ended ??= this.#hasEnded
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#resolveEnded = resolve;
        });
    return this.#ended;
  }

  /** Resolves once the message is where the reader finds it. */
  write(message: Message, { signal, isLast = false }: SendOptions = {}): Promise<void> {
    if (!this.#hasReader) return Promise.reject(this.#noReader());
    if (this.#held < this.#limit || (isLast && this.#line.size === 0)) return this.#enter(message);
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#line.delete(waiting);
        if (signal) abortFanOut.delete(signal, waiting);
      };
      const waiting: Waiting & Abortable = {
        enter: () => {
          leave();
          resolve(this.#enter(message));
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
        onAbort: (aborted) => waiting.refuse(abortError(aborted, this.#what)),
      };
      if (signal) abortFanOut.add(signal, waiting);
      this.#line.add(waiting);
    });
  }

  /** The next message, `undefined` after {@link end}. */
  async read(options?: AbortOptions): Promise<Message | undefined> {
    const message = await this.#mailbox.pull(options);
    if (message) this.#leave();
    return message;
  }

  /** The writer is done: the reader finds the end after all that was written, which needs no room any more. */
  end(): Promise<void> {
    for (const waiting of this.#line) waiting.enter();
    return this.#network.later(() => {
      this.#mailbox.end();
      this.#setEnded();
    });
  }

  /** The reader is done: pending reads end now, with `error` or `undefined`, and writing fails. */
  cut(error?: MicroError): void {
    this.#hasReader = false;
    this.#mailbox.end(error, { drop: true });
    for (const waiting of this.#line) waiting.refuse(this.#noReader());
    this.#setEnded();
  }

  #setEnded(): void {
    this.#hasEnded = true;
    this.#resolveEnded?.();
  }

  #enter(message: Message): Promise<void> {
    this.#held++;
    return this.#network.later(() => {
      this.#mailbox.push(message);
    });
  }

  #leave(): void {
    this.#held--;
    if (this.#held >= this.#limit) return;
    const [next] = this.#line;
    next?.enter();
  }

  #noReader(): MicroError {
    return new MicroError('unavailable', `${this.#what}: the peer has closed`, { retrySafe: true });
  }
}
