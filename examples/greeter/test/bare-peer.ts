import { connect, createInbox, type NatsConnection } from 'nats';
import { vi } from 'vitest';

const patience = { timeout: 15_000, interval: 5 };

/** A message of Go Micro's transport and broker, parsed as JSON and no further. */
export interface Envelope {
  readonly Header: Record<string, string>;
  readonly Body: string | null;
}

/** What came in on one subject, in order. */
export class Received {
  readonly payloads: string[] = [];
  readonly subject: string;
  /** Ends the subscription without a word to anybody, as a peer that vanishes does. */
  readonly stop: () => void;

  constructor(subject: string, stop: () => void) {
    this.subject = subject;
    this.stop = stop;
  }

  get envelopes(): Envelope[] {
    return this.payloads.map((payload) => JSON.parse(payload));
  }

  /** Waits until that many have come, and gives back all there are. */
  count(count: number): Promise<Envelope[]> {
    return vi.waitFor(() => {
      if (this.payloads.length < count) throw new Error(`${this.payloads.length} of ${count} on ${this.subject}`);
      return this.envelopes;
    }, patience);
  }
}

/** A peer that has nothing but a NATS client, and is told every byte it sends. */
export class BarePeer implements AsyncDisposable {
  readonly #connection: NatsConnection;

  private constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  static async connect(servers: string): Promise<BarePeer> {
    return new BarePeer(await connect({ servers }));
  }

  /** Everything published on `subject` once this has resolved. */
  async listen(
    subject: string = createInbox(),
    onPayload: (payload: string, reply: string) => void = () => {},
  ): Promise<Received> {
    const subscription = this.#connection.subscribe(subject, {
      callback: (_, message) => {
        received.payloads.push(message.string());
        onPayload(message.string(), message.reply ?? '');
      },
    });
    const received = new Received(subject, () => subscription.unsubscribe());
    await this.#connection.flush();
    return received;
  }

  publish(subject: string, payload: string, reply = ''): void {
    this.#connection.publish(subject, payload, { reply });
  }

  /** Waits until the server has everything that was published. */
  flush(): Promise<void> {
    return this.#connection.flush();
  }

  /** Sends payloads to a listener as one socket of Go Micro's does, and waits for as many answers. */
  async exchange(address: string, ...payloads: string[]): Promise<Envelope[]> {
    const received = await this.listen();
    for (const payload of payloads) this.publish(address, payload, received.subject);
    const answers = await received.count(payloads.length);
    received.stop();
    return answers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }
}

/** The text of a body: base64 in the envelope. */
export function bodyOf(envelope: Envelope | undefined): string {
  return Buffer.from(envelope?.Body ?? '', 'base64').toString();
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
