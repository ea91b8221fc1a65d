import type { AbortOptions, MicroError } from '@ts-micro/core';
import type { MessageStream } from '@ts-micro/service';
import type { Check } from './checks.ts';
import { inTime, type Limits } from './in-time.ts';
import { LeavableReader } from './leavable-reader.ts';
import { isPromise } from './validate.ts';

export interface StreamChecks {
  /** Whose stream it is: `client: greeter Greeter.Chat`. */
  readonly what: string;
  readonly send: Check | undefined;
  readonly receive: Check | undefined;
  /** For a client: turns the error of a `receive` into the one that the user gets, at once or as a promise. */
  readonly failure?: ((error: unknown) => unknown) | undefined;
  /** What a check that takes its time ends with, beside its own `send` or `receive` and the stream's close. */
  readonly limits: Limits;
  /** The longest that one check takes. @default as long as the limits allow */
  readonly boundMs?: number | undefined;
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
  /** Made for the first check that takes its time. */
  #closing: AbortController | undefined;
  #isClosed = false;

  constructor(inner: MessageStream<unknown, unknown>, checks: StreamChecks) {
    this.#inner = inner;
    this.#checks = checks;
  }

  get closed(): Promise<MicroError | undefined> {
    return this.#inner.closed;
  }

  get sendSignal(): AbortSignal | undefined {
    return this.#inner.sendSignal;
  }

  async send(value: Send, options?: AbortOptions): Promise<void> {
    const checked = this.#checks.send === undefined ? value : this.#checks.send(value);
    if (this.#slowSend === undefined && !isPromise(checked)) return this.#inner.send(checked, options);
    // A later value must not overtake one that is still being checked.
    return this.#sendInTurn(isPromise(checked) ? this.#inTime(checked, options) : checked, options);
  }

  async receive(options?: AbortOptions): Promise<Receive | undefined> {
    try {
      const value = await this.#inner.receive(options);
      return value === undefined ? undefined : ((await this.#checked(value, options)) as Receive);
    } catch (error) {
      if (this.#isClosed && this.#closing !== undefined) return undefined;
      throw await this.#failureOf(error);
    }
  }

  async end(options?: AbortOptions): Promise<void> {
    await this.#slowSend?.catch(() => {});
    await this.#inner.end(options);
  }

  close(options?: AbortOptions): Promise<void> {
    this.#isClosed = true;
    this.#closing?.abort();
    return this.#inner.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Receive, void, undefined> {
    // The stream's own iterator decides what leaving the loop means.
    const values = this.#inner[Symbol.asyncIterator]();
    const isClient = this.#checks.failure !== undefined;
    return new LeavableReader<Receive>({
      next: () => this.#nextOf(values),
      // At the service the stream must stay open for the handler's last words, which tell the client.
      finish: () => isClient && values.return?.(),
      // Which ends a check under way as well.
      leave: () => (isClient ? this.close() : values.return?.()),
    });
  }

  async #nextOf(values: AsyncIterator<unknown>): Promise<IteratorResult<Receive, unknown>> {
    try {
      const next = await values.next();
      return next.done === true ? next : { value: (await this.#checked(next.value)) as Receive, done: false };
    } catch (error) {
      throw await this.#failureOf(error);
    }
  }

  #checked(value: unknown, options?: AbortOptions): unknown {
    const checked = this.#checks.receive === undefined ? value : this.#checks.receive(value);
    return isPromise(checked) ? this.#inTime(checked, options) : checked;
  }

  #inTime(checking: Promise<unknown>, options: AbortOptions | undefined): Promise<unknown> {
    const { limits, what, boundMs } = this.#checks;
    this.#closing ??= new AbortController();
    if (this.#isClosed) this.#closing.abort();
    return inTime(checking, [options, this.#closing, ...limits], `${what}: the check of a message`, boundMs);
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
