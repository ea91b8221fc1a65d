import type { BarePeer, Envelope, Received } from './bare-peer.ts';
import { base64 } from './bare-peer.ts';

const queries = ['micro.nats.query', 'micro.registry.nats.query'];
const watches = ['micro.nats.watch', 'micro.registry.nats.watch'];

let count = 0;

/** A request as it came, and the answers a Go server would make of it. */
export class BareRequest {
  readonly Header: Readonly<Record<string, string>>;
  readonly body: string;

  constructor({ Header, Body }: Envelope) {
    this.Header = Header;
    this.body = Buffer.from(Body ?? '', 'base64').toString();
  }

  /** The id in the spelling that servers of today read. */
  get id(): string {
    return this.Header['Micro-ID'] as string;
  }

  get isEnd(): boolean {
    return this.Header['Micro-Error'] === 'EOS';
  }

  success(body: string): string {
    return `{"Header":{"Content-Type":"${this.Header['Content-Type']}","Micro-ID":"${this.id}","X-Micro-ID":"${this.id}"},"Body":"${base64(body)}"}`;
  }

  failure(text: string): string {
    const header = JSON.stringify({ ...this.Header, 'Micro-Error': text, 'X-Micro-Error': text });
    return `{"Header":${header},"Body":""}`;
  }

  /** A value of a stream. */
  value(body: string): string {
    const { 'Micro-Endpoint': endpoint } = this.Header;
    return `{"Header":{"Content-Type":"application/json","Micro-Endpoint":"${endpoint}","Micro-ID":"${this.id}","Micro-Method":"${endpoint}","Micro-Service":"greeter","X-Micro-Endpoint":"${endpoint}","X-Micro-ID":"${this.id}","X-Micro-Method":"${endpoint}","X-Micro-Service":"greeter"},"Body":"${base64(body)}"}`;
  }
}

export interface BareNodeOptions {
  readonly version?: string;
  /** The node's metadata as JSON. @default that of a Go server on NATS alone */
  readonly metadata?: string;
}

const goMetadata = '{"broker":"nats","protocol":"mucp","registry":"nats","server":"mucp","transport":"nats"}';

/** A greeter that registers and answers in literal JSON, as a Go server does. */
export class BareGreeter implements AsyncDisposable {
  readonly id: string = `greeter-${++count}-7c9e6679-7425-40de-944b-e07fc1f90ae7`;
  /** What came in. */
  readonly requests: BareRequest[] = [];
  /** The reply subjects they came with. */
  readonly inboxes: Set<string> = new Set();
  readonly #peer: BarePeer;
  readonly #record: string;
  readonly #listener: Received;
  readonly #queries: Received[] = [];

  private constructor(
    peer: BarePeer,
    listener: Received,
    { version = '1.0.0', metadata = goMetadata }: BareNodeOptions,
  ) {
    this.#peer = peer;
    this.#listener = listener;
    this.#record = `{"name":"greeter","version":"${version}","metadata":null,"endpoints":null,"nodes":[{"metadata":${metadata},"id":"${this.id}","address":"${listener.subject}"}]}`;
  }

  /** `answer` gives the messages that go back for each that comes in. */
  static async start(
    peer: BarePeer,
    answer: (request: BareRequest) => readonly string[],
    options: BareNodeOptions = {},
  ): Promise<BareGreeter> {
    const listener = await peer.listen(undefined, (payload, reply) => {
      const request = new BareRequest(JSON.parse(payload));
      greeter.requests.push(request);
      greeter.inboxes.add(reply);
      for (const message of answer(request)) peer.publish(reply, message);
    });
    const greeter = new BareGreeter(peer, listener, options);
    await greeter.#register();
    return greeter;
  }

  get address(): string {
    return this.#listener.subject;
  }

  /** Listens no more; the registry is not told. */
  deafen(): void {
    this.#listener.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.deafen();
    for (const query of this.#queries) query.stop();
    const nodes = `[{"metadata":null,"id":"${this.id}","address":"${this.address}"}]`;
    const service = `{"name":"greeter","version":"1.0.0","metadata":null,"endpoints":null,"nodes":${nodes}}`;
    for (const watch of watches) this.#peer.publish(watch, `{"Service":${service},"Action":"delete"}`);
    await this.#peer.flush();
  }

  async #register(): Promise<void> {
    for (const query of queries) {
      const asked = (payload: string, reply: string) => {
        const { Action, Service } = JSON.parse(payload);
        if (Action === 'list' || Service.name === 'greeter') this.#peer.publish(reply, this.#record);
      };
      this.#queries.push(await this.#peer.listen(query, asked));
    }
    for (const watch of watches) this.#peer.publish(watch, `{"Service":${this.#record},"Action":"create"}`);
    await this.#peer.flush();
  }
}
