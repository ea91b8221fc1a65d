import type { AbortOptions, MicroError } from '@ts-micro/core';
import { abortable } from '../lifecycle/abort.ts';
import { randomToken } from './random-token.ts';

/** Gets what comes to one reply subject. */
export interface ReplyReceiver<Reply> {
  /** Called for each reply, on the read loop of the connection. */
  onReply(reply: Reply): void;
  /** Called once where nothing will come any more: the subscription was refused, or the connection has ended. */
  onInboxEnd(cause: MicroError): void;
}

/** The one subscription of an inbox. */
export interface ReplySubscription {
  /** Resolves once a reply sent now would arrive. Errors: `unauthorized`, `unavailable`, or as the signal aborts. */
  confirm(options?: AbortOptions): Promise<void>;
  unsubscribe(): void;
}

/** The events of a subscription, for its inbox. */
export interface ReplyEvents<Reply> {
  /** `subject` is the reply subject that the reply came to. */
  onReply(subject: string, reply: Reply): void;
  /** The same by the last token of that subject, where the backend has it by itself. */
  onReplyTo(token: string, reply: Reply): void;
  /** The subscription is over, because of `cause`. */
  onEnd(cause: MicroError): void;
}

export interface ReplyInboxOptions<Reply> {
  /** Begins the message of an abort error: `nats transport: dialling`. */
  readonly what: string;
  /** Begins every reply subject, without the separator: `_INBOX`. */
  readonly prefix: string;
  /** Separates the tokens of a subject. @default `.` */
  readonly separator?: string | undefined;
  /**
   * Subscribes to every subject that is `base`, which ends with the separator, and one more token. Called at the first
   * use, and again after an end.
   */
  subscribe(base: string, events: ReplyEvents<Reply>): ReplySubscription;
  /** Gets what comes to a reply subject that is closed, or never was. @default ignored */
  onUnknown?(reply: Reply): void;
}

/**
 * All reply subjects of one owner, under one wildcard subscription: a reply subject costs a map entry, and nothing on
 * the wire.
 *
 * A reply subject is `<prefix>.<inbox>.<token>`. Inbox and token are each 131 random bits, unrelated to addresses and
 * to one another: a peer that was given one reply subject cannot guess the next, so it cannot forge an answer for
 * somebody else.
 */
export class ReplyInbox<Reply> {
  readonly #options: ReplyInboxOptions<Reply>;
  readonly #receivers = new Map<string, ReplyReceiver<Reply>>();
  #base = '';
  #subscription: ReplySubscription | undefined;
  #confirming: Promise<void> | undefined;
  #isConfirmed = false;

  constructor(options: ReplyInboxOptions<Reply>) {
    this.#options = options;
  }

  /** How many reply subjects are open. */
  get size(): number {
    return this.#receivers.size;
  }

  /**
   * Resolves once a reply would arrive, at once where that was so before. Errors: those of `subscribe` and `confirm`.
   */
  async ready(options: AbortOptions = {}): Promise<void> {
    if (this.#isConfirmed) return;
    const subscription = this.#subscribe();
    this.#confirming ??= this.#confirm(subscription);
    await abortable(this.#confirming, options.signal, this.#options.what);
  }

  /** Returns a fresh reply subject; what comes to it goes to `receiver` until `close`. Throws as `subscribe` does. */
  open(receiver: ReplyReceiver<Reply>): string {
    this.#subscribe();
    const token = randomToken();
    this.#receivers.set(token, receiver);
    return this.#base + token;
  }

  close(replySubject: string): void {
    this.#receivers.delete(replySubject.slice(this.#base.length));
  }

  /** Ends every open reply subject because of `cause`; the inbox can be used on. */
  endAll(cause: MicroError): void {
    const receivers = [...this.#receivers.values()];
    this.#receivers.clear();
    for (const receiver of receivers) receiver.onInboxEnd(cause);
  }

  /** Unsubscribes and forgets every reply subject, without a word to their receivers. */
  stop(): void {
    const subscription = this.#subscription;
    this.#drop();
    this.#receivers.clear();
    subscription?.unsubscribe();
  }

  #subscribe(): ReplySubscription {
    if (this.#subscription !== undefined) return this.#subscription;
    const { prefix, separator = '.', subscribe } = this.#options;
    this.#base = `${prefix}${separator}${randomToken()}${separator}`;
    const subscription: ReplySubscription = subscribe(this.#base, {
      onReply: (subject, reply) => this.#onReply(subject.slice(this.#base.length), reply),
      onReplyTo: (token, reply) => this.#onReply(token, reply),
      onEnd: (cause) => {
        if (this.#subscription !== subscription) return;
        this.#drop();
        this.endAll(cause);
      },
    });
    this.#subscription = subscription;
    return subscription;
  }

  async #confirm(subscription: ReplySubscription): Promise<void> {
    try {
      await subscription.confirm();
      // It may have ended meanwhile, and another one begun.
      this.#isConfirmed = this.#subscription === subscription;
    } finally {
      if (this.#subscription === subscription) this.#confirming = undefined;
    }
  }

  #drop(): void {
    this.#subscription = undefined;
    this.#confirming = undefined;
    this.#isConfirmed = false;
  }

  #onReply(token: string, reply: Reply): void {
    const receiver = this.#receivers.get(token);
    if (receiver !== undefined) receiver.onReply(reply);
    else this.#options.onUnknown?.(reply);
  }
}
