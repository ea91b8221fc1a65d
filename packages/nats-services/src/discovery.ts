import type { RateLimitedLogger } from '@ts-micro/kit';
import { fairIntakeOf, isSubject, type NatsConnection } from '@ts-micro/nats';
import type { PlainPeers } from './plain-peers.ts';
import type { ServiceIdentity } from './service-identity.ts';
import type { EndpointInfo, EndpointStats, ServiceIdentification, ServiceInfo, ServiceStats } from './service-info.ts';

export interface DiscoveryInit {
  readonly connection: NatsConnection;
  readonly logger: RateLimitedLogger;
  readonly identity: ServiceIdentity;
  readonly id: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly endpoints: readonly { readonly info: EndpointInfo; stats(): EndpointStats }[];
  readonly peers: PlainPeers;
}

/** A subject of `$SRV`, and what a request on it is answered with. */
export interface Question {
  readonly subject: string;
  answer(): Uint8Array;
}

const maxUnsent = 64;

/** What one instance answers to those who look for services. */
export class Discovery {
  readonly #init: DiscoveryInit;
  readonly #started = new Date().toISOString();
  #unsent = 0;
  #stats: Uint8Array | undefined;

  constructor(init: DiscoveryInit) {
    this.#init = init;
  }

  /** Answers one question; where too much waits to be sent, nobody is reading, and it is dropped. Never rejects. */
  async answer({ subject, answer }: Question, reply: string | undefined): Promise<void> {
    if (reply === undefined || reply === '') return;
    const { connection, logger, peers } = this.#init;
    if (fairIntakeOf(connection).judge(peers.of(reply), true) !== 'taken') return;
    // Whoever asks chooses where the answer goes, so it goes nowhere that the server listens itself.
    if (!isSubject(reply)) return;
    const room = connection.room();
    if (room !== undefined) {
      if (this.#unsent >= maxUnsent) return;
      this.#unsent++;
      await room;
      this.#unsent--;
    }
    try {
      connection.publish(reply, answer());
    } catch (error) {
      logger.warn('answer not sent', { subject, error });
    }
  }

  /** Asked of all services, of those of its name, and of this instance. */
  questions(): readonly Question[] {
    const { identity, id } = this.#init;
    const ping = encoded({ type: 'io.nats.micro.v1.ping_response', ...this.#identification() });
    const info = encoded(this.info());
    const answers: Readonly<Record<string, () => Uint8Array>> = {
      PING: () => ping,
      INFO: () => info,
      STATS: () => this.#encodedStats(),
    };
    return Object.entries(answers).flatMap(([verb, answer]) =>
      [`$SRV.${verb}`, `$SRV.${verb}.${identity.name}`, `$SRV.${verb}.${identity.name}.${id}`].map((subject) => ({
        subject,
        answer,
      })),
    );
  }

  info(): ServiceInfo {
    const { identity, endpoints } = this.#init;
    return {
      type: 'io.nats.micro.v1.info_response',
      ...this.#identification(),
      description: identity.description,
      endpoints: endpoints.map(({ info }) => info),
    };
  }

  stats(): ServiceStats {
    return {
      type: 'io.nats.micro.v1.stats_response',
      ...this.#identification(),
      started: this.#started,
      endpoints: this.#init.endpoints.map((endpoint) => endpoint.stats()),
    };
  }

  /** Encoded once in a turn of the event loop, however many ask. */
  #encodedStats(): Uint8Array {
    if (this.#stats === undefined) setImmediate(() => (this.#stats = undefined));
    this.#stats ??= encoded(this.stats());
    return this.#stats;
  }

  #identification(): ServiceIdentification {
    const { identity, id, metadata } = this.#init;
    return { name: identity.name, id, version: identity.version, metadata };
  }
}

function encoded(answer: object): Uint8Array {
  return Buffer.from(JSON.stringify(answer));
}
