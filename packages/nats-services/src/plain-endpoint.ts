import { type Headers, MicroError } from '@ts-micro/core';
import type { RateLimitedLogger } from '@ts-micro/kit';
import type { DiallingPeer } from '@ts-micro/kit/frames';
import { fairIntakeOf, isSubject, type NatsConnection, type NatsMessage } from '@ts-micro/nats';
import type { Service } from '@ts-micro/service';
import { EndpointCounts } from './endpoint-counts.ts';
import { type ErrorAnswer, errorAnswerOf } from './error-answer.ts';
import type { PlainPeers } from './plain-peers.ts';
import type { EndpointInfo, EndpointStats } from './service-info.ts';

export interface PlainEndpointInit {
  readonly connection: NatsConnection;
  readonly service: Pick<Service, 'name' | 'invoke'>;
  /** `Greeter.Hello`. */
  readonly endpoint: string;
  readonly info: EndpointInfo;
  readonly timeoutMs: number;
  readonly peers: PlainPeers;
  readonly logger: RateLimitedLogger;
}

interface PlainAnswer {
  readonly body: Uint8Array;
  readonly headers?: Headers;
}

const json = 'application/json';
const noBytes = new Uint8Array(0);
/** Answers that wait until the server takes more; beyond it requests are refused, as nobody reads what is answered. */
const maxUnsent = 1024;

/** Answers plain NATS requests to one endpoint. */
export class PlainEndpoint {
  readonly info: EndpointInfo;
  readonly #init: PlainEndpointInit;
  readonly #counts = new EndpointCounts();
  readonly #serving = new Set<Promise<void>>();
  #unsent = 0;

  constructor(init: PlainEndpointInit) {
    this.info = init.info;
    this.#init = init;
  }

  stats(): EndpointStats {
    return this.#counts.stats(this.info);
  }

  resetStats(): void {
    this.#counts.reset();
  }

  /** Takes a request off the read loop. Never throws. */
  take(message: NatsMessage): void {
    this.#counts.received();
    const { reply } = message;
    if (reply === undefined || reply === '') {
      // An event of that subject must not run a handler whose answer nobody hears.
      this.#counts.failed({ code: 400, text: 'no reply subject' });
      return;
    }
    const { connection, peers } = this.#init;
    const peer = peers.of(reply);
    const intake = fairIntakeOf(connection).judge(peer, true);
    if (intake !== 'taken') {
      const error = new MicroError('unavailable', 'its sender asks more than others leave room for');
      if (intake === 'refused') this.#publish(reply, this.#failed(error));
      return;
    }
    if (!isSubject(reply)) {
      // Whoever asks chooses where the answer goes, so it goes nowhere that the server listens itself.
      this.#counts.failed({ code: 400, text: 'the reply subject is none that is answered' });
      return;
    }
    if (this.#unsent >= maxUnsent) {
      this.#publish(reply, this.#failed(new MicroError('unavailable', 'too many answers wait to be sent')));
      return;
    }
    peers.asked(peer);
    const serving = this.#serve(message, reply, peer).finally(() => {
      peers.answered(peer);
      this.#serving.delete(serving);
    });
    this.#serving.add(serving);
  }

  /** Resolves once everything taken has been answered. */
  async whenIdle(): Promise<void> {
    await Promise.all(this.#serving);
  }

  async #serve(message: NatsMessage, reply: string, peer: DiallingPeer): Promise<void> {
    const { connection, service, endpoint, timeoutMs } = this.#init;
    const { subject } = this.info;
    const beganAt = performance.now();
    let answer: PlainAnswer;
    try {
      const { contentType, metadata } = partsOf(message.headers());
      const request = { body: message.data, contentType, metadata };
      const response = await service.invoke(endpoint, request, {
        timeoutMs,
        local: subject,
        remote: reply,
        peer: peer.name,
      });
      const { body } = response;
      answer = response.contentType === json ? { body } : { body, headers: { 'Content-Type': response.contentType } };
    } catch (error) {
      answer = this.#failed(error);
    }
    this.#counts.processed(performance.now() - beganAt);
    const room = connection.room();
    if (room !== undefined) {
      this.#unsent++;
      await room;
      this.#unsent--;
    }
    this.#publish(reply, answer);
  }

  /** Sends an answer; one that is more than the server takes becomes an error. Never throws. */
  #publish(reply: string, { body, headers }: PlainAnswer): void {
    const { connection, logger } = this.#init;
    try {
      try {
        connection.publish(reply, body, { headers });
      } catch (error) {
        if (!MicroError.is(error, 'too_large')) throw error;
        const isError = headers?.['Nats-Service-Error'] !== undefined;
        // What an error says is in its headers already.
        const left = isError ? headers : this.#failed(new MicroError('too_large', 'the response is too large')).headers;
        connection.publish(reply, noBytes, { headers: left });
      }
    } catch (error) {
      logger.warn('answer not sent', { subject: this.info.subject, error });
    }
  }

  #failed(error: unknown): ErrorAnswer {
    const { service } = this.#init;
    const answer = errorAnswerOf(MicroError.from(error, 'internal', service.name), service.name);
    this.#counts.failed(answer);
    return answer;
  }
}

function partsOf(headers: Headers): { readonly contentType: string; readonly metadata: Headers } {
  const metadata: Record<string, string> = {};
  let contentType = json;
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (lower === 'content-type') contentType = mediaType(value) || json;
    else if (!lower.startsWith('nats-') && name !== '__proto__') metadata[name] = value;
  }
  return { contentType, metadata };
}

/** Plain clients write it as they like: `Application/JSON; charset=utf-8`. */
function mediaType(value: string): string {
  return value.split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
