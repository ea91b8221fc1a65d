import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as OTLP's JSON has it. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
}

interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

/** Receives traces by OTLP over HTTP, as a collector does. */
export class OtlpReceiver implements AsyncDisposable {
  readonly spans: OtlpSpan[] = [];
  readonly #server: Server;

  static async open(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  constructor() {
    this.#server = createServer(async (request, response) => {
      let text = '';
      for await (const chunk of request) text += chunk;
      if (request.url === '/v1/traces') {
        const { resourceSpans } = JSON.parse(text) as OtlpRequest;
        this.spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)));
      }
      response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end('{}');
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/traces`;
  }

  /** The names from the root of each trace down to each leaf, as text. */
  get paths(): string[] {
    const children = new Map<string, OtlpSpan[]>();
    const known = new Set(this.spans.map(({ spanId }) => spanId));
    for (const span of this.spans) {
      const parent = span.parentSpanId !== undefined && known.has(span.parentSpanId) ? span.parentSpanId : '';
      children.set(parent, [...(children.get(parent) ?? []), span]);
    }
    const below = (span: OtlpSpan): string[] => {
      const next = children.get(span.spanId) ?? [];
      return next.length === 0
        ? [span.name]
        : next.flatMap((child) => below(child).map((path) => `${span.name} > ${path}`));
    };
    return (children.get('') ?? []).flatMap(below).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
