import { abortError, type MicroError, type ServiceRecord } from '@ts-micro/core';
import { type Abortable, abortFanOut, type LeasedRecord, type ReplyReceiver } from '@ts-micro/kit';
import { isNoResponders, type NatsMessage } from '@ts-micro/nats';
import { decodeAnswer } from '../wire/messages.ts';
import { usableRecord } from '../wire/usable-record.ts';
import type { QueryOptions } from './query.ts';

/** A process that is busy all the time waits so many times longer at most. */
const graces = 4;

/**
 * Collects answers until
 * - without a quorum, nothing more came for the quiet period after the last one,
 * - or one version has as many nodes as the quorum asks for,
 * - or the server said for every subject asked that nobody listens there,
 * - or the time is up: also how long an unknown name takes while there are other services that keep silent.
 *
 * Beyond a number of nodes or bytes further answers are left out.
 */
export class Collection implements ReplyReceiver<NatsMessage>, Abortable {
  readonly answers: Promise<LeasedRecord[]>;
  readonly #options: QueryOptions;
  readonly #answers: LeasedRecord[] = [];
  readonly #nodeIds = new Map<string, Set<string>>();
  #limitAt: number;
  #endsAt: number;
  #timer: NodeJS.Timeout;
  /** How much longer it may wait because this process was busy. */
  #graceMs: number;
  #hasHeard = false;
  #unheard: number;
  #nodes = 0;
  #bytes = 0;
  #resolve: (answers: LeasedRecord[]) => void = () => {};
  #reject: (error: MicroError) => void = () => {};

  constructor(options: QueryOptions) {
    this.#options = options;
    this.#unheard = options.subjects.length;
    this.#graceMs = graces * options.timeoutMs;
    this.#limitAt = performance.now() + options.timeoutMs;
    this.#endsAt = this.#limitAt;
    this.answers = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = setTimeout(() => this.#onTimer(), options.timeoutMs);
    if (options.signal) abortFanOut.add(options.signal, this);
  }

  /** Whether anything came back at all. */
  get hasHeard(): boolean {
    return this.#hasHeard;
  }

  onReply(message: NatsMessage): void {
    this.#hasHeard = true;
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
    this.#endsAt = Math.min(now + this.#options.quietMs, this.#limitAt);
    // The timer set at the first answer looks by itself whether others followed.
    if (this.#answers.length > 1) return;
    clearTimeout(this.#timer);
    // Its time may be over already: newer Node warns of negative delays.
    this.#timer = setTimeout(() => this.#onTimer(), Math.max(0, this.#endsAt - now));
  }

  #onTimer(): void {
    const { quietMs, timeoutMs } = this.#options;
    const now = performance.now();
    const leftMs = this.#endsAt - now;
    if (leftMs >= 1) {
      this.#timer = setTimeout(() => this.#onTimer(), leftMs);
    } else if (leftMs < -quietMs && this.#graceMs > 0) {
      // So late that this process was busy: answers may lie in the socket, unread, or where others were kept busy as
      // well.
      const moreMs = Math.min(-leftMs, timeoutMs, this.#graceMs);
      this.#graceMs -= moreMs;
      this.#endsAt = now + moreMs;
      this.#limitAt = Math.max(this.#limitAt, this.#endsAt);
      this.#timer = setTimeout(() => this.#onTimer(), moreMs);
    } else {
      this.#resolve(this.#answers);
    }
  }
}
