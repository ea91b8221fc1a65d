import type { AbortOptions, MicroError } from '@ts-micro/core';
import type { MessageStream } from '@ts-micro/service';
import type { Check } from './checks.ts';
import { isPromise } from './validate.ts';

export interface StreamChecks {
  readonly send: Check | undefined;
  readonly receive: Check | undefined;
  /** For a client: turns the error of a `receive` into the one that the user gets, at once or as a promise. */
  readonly failure?: ((error: unknown) => unknown) | undefined;
}

/**
 * A stream whose values are checked both ways. One that does not fit fails its own `send` or `receive` and leaves the
 * stream usable.
 */
export class CheckedStream<Send = unknown, Receive = unknown> implements MessageStream<Send, Receive> {
  readonly #inner: MessageStream<unknown, unknown>;
  readonly #checks: StreamChecks;
  /** The last send whose check took its time, until it is over. */
  #slowSend: Promise<void> | undefined;

  constructor(inner: MessageStream<unknown, unknown>, checks: StreamChecks) {
    this.#inner = inner;
    this.#checks = checks;
  }

  get closed(): Promise<MicroError | undefined> {
    return this.#inner.closed;
  }

  async send(value: Send, options?: AbortOptions): Promise<void> {
    const checked = this.#checks.send === undefined ? value : this.#checks.send(value);
    if (this.#slowSend === undefined && !isPromise(checked)) return this.#inner.send(checked, options);
    // A later value must not overtake one that is still being checked.
    return this.#sendInTurn(checked, options);
  }

  async receive(options?: AbortOptions): Promise<Receive | undefined> {
    try {
      const value = await this.#inner.receive(options);
      return value === undefined ? undefined : ((await this.#checked(value)) as Receive);
    } catch (error) {
      throw await this.#failureOf(error);
    }
  }

  async end(options?: AbortOptions): Promise<void> {
    await this.#slowSend?.catch(() => {});
    await this.#inner.end(options);
  }

  close(options?: AbortOptions): Promise<void> {
    return this.#inner.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#inner.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Receive, void, undefined> {
    // The stream's own iterator decides what leaving the loop means.
    const values = this.#inner[Symbol.asyncIterator]();
    let isLeft = true;
    try {
      for (let next = await values.next(); next.done !== true; next = await values.next())
        yield (await this.#checked(next.value)) as Receive;
    } catch (error) {
      // At the service the stream must stay open for the handler's last words, which tell the client.
      isLeft = this.#checks.failure !== undefined;
      throw await this.#failureOf(error);
    } finally {
      if (isLeft) await values.return?.();
    }
  }

  #checked(value: unknown): unknown {
    return this.#checks.receive === undefined ? value : this.#checks.receive(value);
  }

  #failureOf(error: unknown): unknown {
    return this.#checks.failure === undefined ? error : this.#checks.failure(error);
  }

  #sendInTurn(checked: unknown, options: AbortOptions | undefined): Promise<void> {
    const before = this.#slowSend;
    // Should it fail while another send is waited for, it is heard below.
    if (isPromise(checked)) checked.catch(() => {});
    const sending = (async () => {
      await before?.catch(() => {});
      await this.#inner.send(await checked, options);
    })();
    this.#slowSend = sending;
    const forget = () => {
      if (this.#slowSend === sending) this.#slowSend = undefined;
    };
    sending.then(forget, forget);
    return sending;
  }
}
