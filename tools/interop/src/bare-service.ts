import type { BareMessage, BareNats } from './bare-nats.ts';
import { freshInbox } from './bare-nats.ts';

const families = ['micro.nats', 'micro.registry.nats'] as const;

/** A request as a bare service sees it. */
export interface BareRequest {
  readonly header: Readonly<Record<string, string>>;
  readonly body: string;
  readonly inbox: string;
  reply(payload: string): void;
}

/**
 * A registered service made of nothing but NATS messages, that answers as it is told to: right, wrong, late, twice or
 * not at all.
 */
export class BareService implements Disposable {
  readonly requests: BareRequest[] = [];
  readonly address: string = freshInbox();
  readonly #stops: (() => void)[] = [];
  readonly #bare: BareNats;
  readonly #record: string;

  constructor(bare: BareNats, name: string, answer: (request: BareRequest, index: number) => void) {
    this.#bare = bare;
    this.#record = JSON.stringify({
      name,
      version: '1.0.0',
      metadata: null,
      endpoints: [],
      nodes: [
        {
          id: `${name}-bare`,
          address: this.address,
          metadata: { broker: 'nats', protocol: 'mucp', registry: 'nats', server: 'mucp', transport: 'nats' },
        },
      ],
    });
    for (const family of families) {
      this.#stops.push(bare.subscribe(`${family}.query`, (message) => this.#answerQuery(name, message)));
    }
    this.#stops.push(
      bare.subscribe(this.address, (message) => {
        const request = readRequest(bare, message);
        this.requests.push(request);
        answer(request, this.requests.length - 1);
      }),
    );
    this.announce('create');
  }

  announce(action: string): void {
    for (const family of families) {
      this.#bare.publish(`${family}.watch`, `{"Service":${this.#record},"Action":${JSON.stringify(action)}}`);
    }
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stops) stop();
    this.announce('delete');
  }

  #answerQuery(name: string, message: BareMessage): void {
    const query = JSON.parse(message.payload.toString()) as { Action?: string; Service?: { name?: string } } | null;
    const isAsked = query?.Action === 'list' || (query?.Action === 'get' && query.Service?.name === name);
    if (isAsked && message.reply !== undefined) this.#bare.publish(message.reply, this.#record);
  }
}

/** An envelope's text. A `null` body is null in it. */
export function bareEnvelope(header: Readonly<Record<string, string>>, body: string | null): string {
  return JSON.stringify({ Header: header, Body: body === null ? null : Buffer.from(body).toString('base64') });
}

/** A success as a Go server sends it. */
export function bareSuccess(request: BareRequest, body: string): string {
  const header: Record<string, string> = { 'Content-Type': 'application/json' };
  for (const name of ['Micro-ID', 'Micro-Id']) {
    const id = request.header[name];
    if (id !== undefined) Object.assign(header, { [name]: id, [`X-${name}`]: id });
  }
  return bareEnvelope(header, body);
}

/** An error as a Go server sends it. */
export function bareFailure(request: BareRequest, text: string): string {
  return bareEnvelope({ ...request.header, 'Micro-Error': text, 'X-Micro-Error': text }, '');
}

function readRequest(bare: BareNats, message: BareMessage): BareRequest {
  const { Header, Body } = JSON.parse(message.payload.toString()) as {
    Header: Record<string, string>;
    Body: string | null;
  };
  const inbox = message.reply ?? '';
  return {
    header: Header,
    body: Buffer.from(Body ?? '', 'base64').toString(),
    inbox,
    reply: (payload) => bare.publish(inbox, payload),
  };
}
