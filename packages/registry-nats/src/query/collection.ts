import { abortError, type MicroError, type ServiceRecord } from '@ts-micro/core';
import { type Abortable, abortFanOut, type LeasedRecord, type ReplyReceiver } from '@ts-micro/kit';
import { isNoResponders, type NatsMessage } from '@ts-micro/nats';
import { decodeAnswer } from '../wire/messages.ts';
import { usableRecord } from '../wire/usable-record.ts';
import type { QueryOptions } from './questions.ts';

export interface CollectionOptions extends QueryOptions {
  /** Resolves with how many ms the server took to answer a ping. Rejects where it does not answer. */
  readonly ping: () => Promise<number>;
}

/** Where everything is slow all the time a lookup waits so many times longer at most. */
const graces = 4;
/** An answer takes some round trips to the server: from so many on in the time of a lookup it is in time for them. */
const enoughRoundTrips = 5;

/**
 * Collects answers until
 * - without a quorum, nothing more came for the quiet period after the last one,
 * - or one version has as many nodes as the quorum asks for,
 * - or the server said for every subject asked that nobody listens there,
 * - or the time is up: also how long an unknown name takes while there are other services that keep silent.
 *
 * That nothing came says something only where an answer would have come: while this process or the server is found to
 * be slow, it waits on.
 *
 * Beyond a number of nodes or bytes further answers are left out.
 */
export class Collection implements ReplyReceiver<NatsMessage>, Abortable {
  readonly answers: Promise<LeasedRecord[]>;
  readonly #options: CollectionOptions;
  /** How long it waits for what may follow what has come. */
  readonly #quietMs: number;
  readonly #answers: LeasedRecord[] = [];
  readonly #nodeIds = new Map<string, Set<string>>();
  #limitAt: number;
  #endsAt: number;
  #timer: NodeJS.Timeout;
  /** How much longer it may wait because this process, or the server, was busy. */
  #graceMs: number;
  /** Whether the server was asked, and in time for an answer to have come. */
  #isSilence = false;
  #unheard: number;
  #hasStopped = false;
  #nodes = 0;
  #bytes = 0;
  #resolve: (answers: LeasedRecord[]) => void = () => {};
  #reject: (error: MicroError) => void = () => {};

  constructor(options: CollectionOptions) {
    const { timeoutMs, quietMs } = options;
    this.#options = options;
    this.#unheard = options.subjects.length;
    this.#graceMs = graces * timeoutMs;
    this.#quietMs = Math.min(quietMs, timeoutMs / enoughRoundTrips);
    this.#limitAt = performance.now() + timeoutMs;
    // In time to ask the server before.
    this.#endsAt = this.#limitAt - this.#quietMs;
    this.answers = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = setTimeout(() => this.#onTimer(), timeoutMs - this.#quietMs);
    if (options.signal) abortFanOut.add(options.signal, this);
  }

  onReply(message: NatsMessage): void {
    if (isNoResponders(message)) {
      if (--this.#unheard === 0) this.#resolve(this.#answers);
      return;
    }
    const answer = this.#decode(message);
    if (answer === undefined) return;
    this.#answers.push(answer);
    if (this.#hasQuorum(answer.service)) this.#resolve(this.#answers);
    // Nodes that are missing for a quorum may be on busy machines.
    else if (this.#options.quorum === undefined) this.#becameQuiet();
  }

  onInboxEnd(cause: MicroError): void {
    this.#reject(cause);
  }

  onAbort(signal: AbortSignal): void {
    this.#reject(abortError(signal, 'nats registry: query'));
  }

  stop(): void {
    this.#hasStopped = true;
    clearTimeout(this.#timer);
    const { signal } = this.#options;
    if (signal) abortFanOut.delete(signal, this);
  }

  #decode(message: NatsMessage): LeasedRecord | undefined {
    const { name, logger, maxNodes, maxBytes, maxRecordBytes } = this.#options;
    this.#bytes += message.data.length;
    if (this.#bytes > maxBytes || this.#nodes >= maxNodes) {
      logger.warn('answers left out, there are too many', { service: name, maxNodes, maxBytes });
      return undefined;
    }
    try {
      const decoded = decodeAnswer(message.data, maxRecordBytes);
      if (name !== undefined && decoded.service.name !== name) return undefined;
      const answer = usableRecord(message, decoded, logger);
      if (answer === undefined) return undefined;
      this.#nodes += Math.max(answer.service.nodes.length, 1);
      return answer;
    } catch (error) {
      logger.debug('malformed answer ignored', { error });
      return undefined;
    }
  }

  #hasQuorum({ name, version, nodes }: ServiceRecord): boolean {
    const { quorum } = this.#options;
    if (quorum === undefined) return false;
    const key = JSON.stringify([name, version]);
    const ids = this.#nodeIds.get(key) ?? new Set();
    this.#nodeIds.set(key, ids);
    for (const node of nodes) ids.add(node.id);
    return ids.size >= quorum;
  }

  #becameQuiet(): void {
    const now = performance.now();
    const isFirst = this.#answers.length === 1;
    // Also where the first one is late others come with it.
    if (isFirst) this.#limitAt = Math.max(this.#limitAt, now + this.#quietMs);
    this.#endsAt = Math.min(now + this.#options.quietMs, this.#limitAt);
    // The timer set at the first answer looks by itself whether others followed.
    if (isFirst) this.#wakeIn(this.#endsAt - now);
  }

  #onTimer(): void {
    const now = performance.now();
    const leftMs = this.#endsAt - now;
    // So late that this process was busy: answers may lie in the socket, unread, or where others were kept busy too.
    if (leftMs < -this.#quietMs && this.#graceMs > 0) this.#waitOn(-leftMs);
    else if (leftMs >= 1) this.#wakeIn(leftMs);
    else if (this.#answers.length === 0 && !this.#isSilence) void this.#askServer();
    else if (this.#options.quorum !== undefined && this.#limitAt - now >= 1) this.#wait(this.#limitAt - now);
    else this.#resolve(this.#answers);
  }

  /** Nothing came: finds out whether anything could have. */
  async #askServer(): Promise<void> {
    const { ping, timeoutMs, quorum } = this.#options;
    try {
      const tookMs = await ping();
      // What came meanwhile has set the timer, unless there is a quorum.
      if (this.#hasStopped || (this.#answers.length > 0 && quorum === undefined)) return;
      this.#graceMs -= tookMs;
      this.#isSilence = tookMs <= timeoutMs / enoughRoundTrips || this.#graceMs <= 0;
      // Who was asked by way of the server a moment ago answers now.
      if (this.#isSilence) this.#wait(Math.max(this.#limitAt - performance.now(), this.#quietMs));
      else this.#waitOn(tookMs);
    } catch (error) {
      this.#reject(error as MicroError);
    }
  }

  /** Waits for as long as this process or the server was late. */
  #waitOn(lateMs: number): void {
    const moreMs = Math.min(lateMs, this.#options.timeoutMs, this.#graceMs);
    this.#graceMs -= moreMs;
    this.#wait(moreMs);
    this.#limitAt = Math.max(this.#limitAt, this.#endsAt);
  }

  #wait(ms: number): void {
    this.#endsAt = performance.now() + ms;
    this.#wakeIn(ms);
  }

  #wakeIn(ms: number): void {
    clearTimeout(this.#timer);
    // Its time may be over already: newer Node warns of negative delays.
    this.#timer = setTimeout(() => this.#onTimer(), Math.max(0, ms));
  }
}
