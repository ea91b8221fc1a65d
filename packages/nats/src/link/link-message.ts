import type { Headers } from '@ts-micro/core';
import type { NatsMessage } from '../connection/connection.ts';
import { decodeHeaders, recentHeaders } from '../headers.ts';
import { headerBlockOf, lineOf, replyOf, sizeOf, subjectOf } from '../vendor/vendor-internals.ts';
import type { MessageLine } from '../vendor/whole-message.ts';
import type { VendorMessage } from './vendor-connection.ts';

/** A thin view of the client's message: nothing is decoded before it is asked for. */
export class LinkMessage implements NatsMessage {
  readonly #vendor: VendorMessage;
  #data: Uint8Array | undefined;

  constructor(vendor: VendorMessage) {
    this.#vendor = vendor;
  }

  get subject(): string {
    return subjectOf(this.#vendor);
  }

  /** Its line as it came; `undefined` where it came in parts. */
  get line(): MessageLine | undefined {
    return lineOf(this.#vendor);
  }

  get reply(): string | undefined {
    return replyOf(this.#vendor);
  }

  get data(): Uint8Array {
    // With headers, the client makes another view each time.
    this.#data ??= this.#vendor.data;
    return this.#data;
  }

  /** Bytes of data and headers. */
  get size(): number {
    return sizeOf(this.#vendor);
  }

  get status(): number {
    // The server sets a status only on messages of its own, and those have no data.
    return this.data.length > 0 ? 0 : (this.#vendor.headers?.code ?? 0);
  }

  get statusText(): string | undefined {
    return this.#vendor.headers?.description;
  }

  headers(): Headers {
    const block = headerBlockOf(this.#vendor);
    return block === undefined ? decodeHeaders(this.#vendor.headers) : recentHeaders(block, this.#vendor);
  }
}
