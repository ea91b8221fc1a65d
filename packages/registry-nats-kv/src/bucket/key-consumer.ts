import { MicroError } from '@ts-micro/core';
import { bounded, randomToken } from '@ts-micro/kit';
import { deliveryInfoOf, type JetStreamApi, type NatsMessage, type NatsSubscription } from '@ts-micro/nats';
import { who } from '../kv-registry-options.ts';
import { type Bucket, batchHeader } from './bucket.ts';

/** A key as the consumer delivers it. */
export interface DeliveredKey {
  readonly key: string;
  readonly sequence: number;
  /** On the clock of the server, in milliseconds. */
  readonly storedAtMs: number;
  readonly data: Uint8Array;
  readonly isDeleted: boolean;
  readonly batch: string | undefined;
}

export interface KeyConsumerOptions {
  readonly api: JetStreamApi;
  readonly bucket: Bucket;
  /** The keys that it delivers: `>`, or `greeter.>`. */
  readonly keys: string;
  readonly timeoutMs: number;
  readonly onKey: (delivered: DeliveredKey) => void;
  /** Called once, where something may be missing from now on. */
  readonly onGap: (cause: MicroError) => void;
}

interface ConsumerCreated {
  readonly created: string;
  readonly num_pending: number;
}

const beatMs = 5000;
/** A server that is silent for longer sends nothing any more. */
const silenceMs = 2.2 * beatMs;
// How long the server keeps a consumer that nobody listens to.
const inactiveMs = 30_000;
const nanoseconds = 1e6;
const noBytes = new Uint8Array(0);

/** Delivers every key as it is now and then every change, in order, until a gap or the end. It is used once. */
export class KeyConsumer {
  readonly #options: KeyConsumerOptions;
  readonly #name = `kv-${randomToken()}`;
  readonly #inbox: string;
  readonly #subscription: NatsSubscription;
  readonly #ended: Promise<never>;
  #end: (cause: MicroError) => void = () => {};
  #onComplete: () => void = () => {};
  #sequence = 0;
  /** How many keys there were at first, once that is known. */
  #expected = Number.POSITIVE_INFINITY;
  #isComplete = false;
  #isOver = false;
  #silence: NodeJS.Timeout | undefined;

  constructor(options: KeyConsumerOptions) {
    const { connection } = options.api;
    this.#options = options;
    this.#inbox = connection.newInbox();
    this.#ended = new Promise((_, reject) => {
      this.#end = reject;
    });
    // Nobody waits for it once everything is there.
    this.#ended.catch(() => {});
    const onError = (error: MicroError) => this.#onGap(error);
    const onMessage = (message: NatsMessage) => this.#onMessage(message);
    this.#subscription = connection.subscribe(this.#inbox, { onMessage, onError, onLost: onError });
  }

  /**
   * Resolves once every key of now was delivered, with the clock of the server, in milliseconds, or a little less, and
   * with when the bucket was made.
   */
  async start(): Promise<{ readonly serverMs: number; readonly created: string }> {
    const { api, bucket, keys, timeoutMs } = this.#options;
    const complete = new Promise<void>((resolve) => {
      this.#onComplete = resolve;
    });
    const { nowMs, created: bucketCreated } = await bucket.look();
    const lookedAt = performance.now();
    const filter = bucket.prefix + keys;
    const work = Promise.all([
      this.#subscription.confirm(),
      api.request<ConsumerCreated>(`CONSUMER.CREATE.${bucket.stream}.${this.#name}.${filter}`, {
        stream_name: bucket.stream,
        config: this.#config(filter),
      }),
    ]);
    const [, { created, num_pending }] = await Promise.race([work, this.#ended]);
    const createdAt = performance.now();
    this.#expected = num_pending;
    this.#listen();
    this.#checkComplete(undefined);
    await bounded(Promise.race([complete, this.#ended]), {}, timeoutMs, `${who}: loading the bucket`);
    // Servers before 2.10 tell their clock only in what they make.
    const serverMs =
      nowMs === undefined ? Date.parse(created) + performance.now() - createdAt : nowMs + performance.now() - lookedAt;
    return { serverMs, created: bucketCreated };
  }

  /** Ends it; `isGone` where the server cannot be told. */
  stop({ isGone = false }: { readonly isGone?: boolean } = {}): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#silence);
    this.#end(new MicroError('unavailable', `${who}: the bucket cannot be followed any more`));
    this.#subscription.unsubscribe();
    const { api, bucket } = this.#options;
    // The server forgets by itself what it cannot be told of.
    if (!isGone) api.request(`CONSUMER.DELETE.${bucket.stream}.${this.#name}`).catch(() => undefined);
  }

  #onGap(cause: MicroError): void {
    if (this.#isOver) return;
    this.#end(cause);
    this.stop();
    this.#options.onGap(cause);
  }

  #onMessage(message: NatsMessage): void {
    if (this.#isOver) return;
    this.#silence?.refresh();
    if (message.status !== 0) {
      this.#onStatus(message);
      return;
    }
    const info = deliveryInfoOf(message.reply);
    if (info === undefined || info.consumer !== this.#name) return;
    if (info.consumerSequence !== this.#sequence + 1) {
      this.#onGap(gap(`message ${info.consumerSequence} came after ${this.#sequence}`));
      return;
    }
    this.#sequence = info.consumerSequence;
    const { prefix } = this.#options.bucket;
    if (message.subject.startsWith(prefix)) {
      const headers = message.headers();
      this.#options.onKey({
        key: message.subject.slice(prefix.length),
        sequence: info.streamSequence,
        storedAtMs: info.storedAtMs,
        data: message.data,
        isDeleted: 'KV-Operation' in headers || 'Nats-Marker-Reason' in headers,
        batch: headers[batchHeader],
      });
    }
    this.#checkComplete(info.pending);
  }

  #onStatus(message: NatsMessage): void {
    const { connection } = this.#options.api;
    const last = message.headers()['Nats-Last-Consumer'];
    const isLate = last !== undefined && Number(last) !== this.#sequence;
    if (message.status !== 100 || isLate) {
      this.#onGap(gap(isLate ? `the server sent ${last} messages, not ${this.#sequence}` : `status ${message.status}`));
      return;
    }
    // It beats once nothing waits to be sent.
    if (last !== undefined) this.#checkComplete(0);
    if (message.reply === undefined) return;
    try {
      connection.publish(message.reply, noBytes);
    } catch {
      // There is no connection, which is told otherwise.
    }
  }

  #checkComplete(pending: number | undefined): void {
    if (this.#isComplete || this.#expected === Number.POSITIVE_INFINITY) return;
    if (pending !== 0 && this.#sequence < this.#expected) return;
    this.#isComplete = true;
    this.#onComplete();
  }

  #listen(): void {
    this.#silence = setTimeout(() => this.#onGap(gap(`silent for ${silenceMs} ms`)), silenceMs).unref();
  }

  #config(filter: string): Readonly<Record<string, unknown>> {
    return {
      name: this.#name,
      deliver_subject: this.#inbox,
      deliver_policy: 'last_per_subject',
      filter_subject: filter,
      ack_policy: 'none',
      max_deliver: 1,
      flow_control: true,
      idle_heartbeat: beatMs * nanoseconds,
      inactive_threshold: inactiveMs * nanoseconds,
      mem_storage: true,
      num_replicas: 1,
    };
  }
}

function gap(why: string): MicroError {
  return new MicroError('unavailable', `${who}: the bucket is not followed any more: ${why}`);
}
