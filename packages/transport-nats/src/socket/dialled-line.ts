import { isWindowUpdate, type Line, type SentRecord } from '@ts-micro/kit/frames';
import type { NatsConnection } from '@ts-micro/nats';
import type { UntoldCloses } from './untold-closes.ts';

/**
 * A dialler's way to its listener: everything has the socket's reply subject, so that the server says where nobody
 * listens.
 */
export class DialledLine implements Line {
  readonly what: string;
  readonly #connection: NatsConnection;
  readonly #address: string;
  readonly #reply: { readonly reply: string };
  readonly #untold: UntoldCloses;
  #record: SentRecord | undefined;

  constructor(connection: NatsConnection, address: string, replySubject: string, untold: UntoldCloses) {
    this.what = `nats socket from ${replySubject} to ${address}`;
    this.#connection = connection;
    this.#address = address;
    this.#reply = { reply: replySubject };
    this.#untold = untold;
  }

  get maxPayload(): number {
    return this.#connection.maxPayload;
  }

  /** Counts window updates and probes in `record`, as "no responders" may be about one of them. */
  countIn(record: SentRecord): void {
    this.#record = record;
  }

  publish(bytes: Uint8Array, prefix?: Uint8Array): void {
    if (prefix !== undefined) {
      this.#connection.publish(this.#address, bytes, { ...this.#reply, prefix });
      return;
    }
    this.#connection.publish(this.#address, bytes, this.#reply);
    if (isWindowUpdate(bytes)) this.#record?.other();
  }

  probe(bytes: Uint8Array): void {
    this.#connection.publish(this.#address, bytes, this.#reply);
    this.#record?.other();
  }

  farewell(bytes: Uint8Array): void {
    // A listener knows no socket on which nothing was sent.
    if (this.#record?.begun !== 0) this.#untold.publish(this.#address, bytes, this.#reply);
  }
}
