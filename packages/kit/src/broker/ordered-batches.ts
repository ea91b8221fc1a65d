interface Waiting<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface OrderedBatchesOptions<T> {
  /** Sends a batch; its items settle as it does. */
  readonly send: (items: readonly T[]) => Promise<unknown>;
  readonly bytesOf: (item: T) => number;
  /** The most items of a batch. @default 500 */
  readonly most?: number | undefined;
  /** The most bytes of a batch of more than one item. @default 1000000 */
  readonly mostBytes?: number | undefined;
}

/** Sends items in the order of the calls: what comes while a batch is on its way goes with the next. */
export class OrderedBatches<T> {
  readonly #options: OrderedBatchesOptions<T>;
  #waiting: Waiting<T>[] = [];
  #sending: Promise<void> | undefined;

  constructor(options: OrderedBatchesOptions<T>) {
    this.#options = options;
  }

  /** Resolves once the batch with the item was sent. Rejects as `send` does. */
  add(item: T): Promise<void> {
    const sent = new Promise<void>((resolve, reject) => this.#waiting.push({ item, resolve, reject }));
    this.#sending ??= this.#send();
    return sent;
  }

  /** Resolves once everything was sent, or has failed. */
  get allSent(): Promise<void> {
    return this.#sending ?? Promise.resolve();
  }

  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#next();
      try {
        await this.#options.send(batch.map(({ item }) => item));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#sending = undefined;
  }

  #next(): readonly Waiting<T>[] {
    const { bytesOf, most = 500, mostBytes = 1_000_000 } = this.#options;
    let bytes = 0;
    const end = this.#waiting.findIndex(({ item }, index) => {
      bytes += bytesOf(item);
      return index > 0 && (index >= most || bytes > mostBytes);
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }
}
