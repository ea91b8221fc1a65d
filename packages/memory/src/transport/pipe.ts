import { type AbortOptions, abortError, type Message, MicroError, type SendOptions } from '@ts-micro/core';
import { type Abortable, abortFanOut, bytesOfMessage, Mailbox } from '@ts-micro/kit';
import type { Network } from '../network.ts';

/** A message that found the pipe full. */
interface Waiting {
  enter(): void;
  refuse(error: MicroError): void;
}

export interface PipeLimits {
  readonly messages: number;
  /** One message may go beyond. */
  readonly bytes: number;
}

/**
 * One direction of a conversation. It holds up to its limits what was not read yet; further writes wait for room, in
 * order.
 */
export class Pipe {
  readonly #network: Network;
  readonly #limits: PipeLimits;
  readonly #what: string;
  readonly #mailbox: Mailbox<Message>;
  readonly #line = new Set<Waiting>();
  #held = 0;
  #heldBytes = 0;
  #hasReader = true;
  #hasEnded = false;
  #ended: Promise<void> | undefined;
  #resolveEnded: (() => void) | undefined;

  constructor(network: Network, limits: PipeLimits, what: string) {
    this.#network = network;
    this.#limits = limits;
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
    if (this.#line.size === 0 && (this.#hasRoom || isLast)) return this.#enter(message);
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
    if (message) this.#leave(message);
    return message;
  }

  /** The next message where one waits already. */
  readNow(): Message | undefined {
    const message = this.#mailbox.take();
    if (message) this.#leave(message);
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
    this.#heldBytes += bytesOfMessage(message);
    return this.#network.later(() => {
      this.#mailbox.push(message);
    });
  }

  get #hasRoom(): boolean {
    return this.#held < this.#limits.messages && this.#heldBytes < this.#limits.bytes;
  }

  #leave(message: Message): void {
    this.#held--;
    this.#heldBytes -= bytesOfMessage(message);
    for (const next of this.#line) {
      if (!this.#hasRoom) return;
      next.enter();
    }
  }

  #noReader(): MicroError {
    return new MicroError('unavailable', `${this.#what}: the peer has closed`, { retrySafe: true });
  }
}
