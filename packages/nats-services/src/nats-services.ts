import { type AbortOptions, MicroError } from '@ts-micro/core';
import { RateLimitedLogger, untilAborted } from '@ts-micro/kit';
import {
  checkSubject,
  type NatsConnection,
  type NatsSubscribeOptions,
  type NatsSubscription,
  type SharedConnection,
  shareConnection,
} from '@ts-micro/nats';
import type { Service, ServiceGateway } from '@ts-micro/service';
import { Discovery } from './discovery.ts';
import {
  checkNatsServicesOptions,
  type NatsServicesOptions,
  type NatsServicesSettings,
  who,
} from './nats-services-options.ts';
import { PlainEndpoint } from './plain-endpoint.ts';
import { PlainPeers } from './plain-peers.ts';
import { plainName } from './service-identity.ts';
import type { ServiceInfo, ServiceStats } from './service-info.ts';

/** What a service tells NATS' tools; `undefined` while it is not open. */
export interface NatsServices {
  /** What `$SRV.INFO` is answered with. */
  info(): ServiceInfo | undefined;
  /** What `$SRV.STATS` is answered with. */
  stats(): ServiceStats | undefined;
  /** Counts from zero again. */
  resetStats(): void;
}

/**
 * Lets a service answer NATS' services protocol (ADR-32), so that `nats micro` and its like see it, and its unary
 * endpoints plain NATS requests: `nats req greeter.Greeter.Hello '{"name":"John"}'`.
 *
 * Call it before the service starts: it opens with it, in one queue group for all instances, and closes with it. Where
 * the server refuses a subscription, the start fails. Streams and events are not part of it.
 *
 * Throws `invalid` for an option, and for a version that is not semantic; `conflict` where the service has started.
 */
export function natsServices(service: Service, options: NatsServicesOptions = {}): NatsServices {
  const gateway = new NatsServicesGateway(service, checkNatsServicesOptions(service, options));
  service.attach(gateway);
  return gateway;
}

class NatsServicesGateway implements ServiceGateway, NatsServices {
  readonly name: string = who;
  readonly #service: Service;
  readonly #settings: NatsServicesSettings;
  readonly #lease: SharedConnection;
  #logger: RateLimitedLogger;
  #subscriptions: NatsSubscription[] = [];
  #endpoints: readonly PlainEndpoint[] = [];
  #discovery: Discovery | undefined;

  constructor(service: Service, settings: NatsServicesSettings) {
    this.#service = service;
    this.#settings = settings;
    this.#lease = shareConnection(settings.plugin);
    this.#logger = new RateLimitedLogger(settings.logger);
  }

  info(): ServiceInfo | undefined {
    return this.#discovery?.info();
  }

  stats(): ServiceStats | undefined {
    return this.#discovery?.stats();
  }

  resetStats(): void {
    for (const endpoint of this.#endpoints) endpoint.resetStats();
  }

  async open(options: AbortOptions): Promise<void> {
    const { queue, logger } = this.#settings;
    const connection = await this.#lease.get(options);
    this.#logger = new RateLimitedLogger(logger);
    const peers = new PlainPeers();
    this.#endpoints = this.#endpointsOn(connection, peers);
    const discovery = this.#discoveryOn(connection, this.#endpoints, peers);
    this.#discovery = discovery;
    for (const endpoint of this.#endpoints)
      this.#subscribe(connection, endpoint.info.subject, { queue, onMessage: (message) => endpoint.take(message) });
    // Who is told of the service may call it at once.
    for (const question of discovery.questions())
      this.#subscribe(connection, question.subject, {
        onMessage: ({ reply }) => void discovery.answer(question, reply),
      });
    await Promise.all(this.#subscriptions.map((subscription) => subscription.confirm(options)));
  }

  async leave(options: AbortOptions): Promise<void> {
    const subscriptions = this.#subscriptions;
    this.#subscriptions = [];
    // Without a connection there is nothing to take in either.
    await Promise.allSettled(subscriptions.map((subscription) => subscription.drain(options)));
  }

  async close({ signal = new AbortController().signal }: AbortOptions): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#subscriptions = [];
    await untilAborted(Promise.all(this.#endpoints.map((endpoint) => endpoint.whenIdle())), signal);
    this.#discovery = undefined;
    this.#endpoints = [];
    this.#logger.end();
    await this.#lease.release();
  }

  #subscribe(
    connection: NatsConnection,
    subject: string,
    options: Pick<NatsSubscribeOptions, 'queue' | 'onMessage'>,
  ): void {
    const fields = { service: this.#service.name, subject };
    const { logger } = this.#settings;
    const subscription = connection.subscribe(subject, {
      ...options,
      onError: (error) => logger.error('subscription ended', { ...fields, error }),
      onLost: (error) => logger.error('subscription lost', { ...fields, error }),
      onRestored: () => logger.info('subscription is there again', fields),
    });
    this.#subscriptions.push(subscription);
  }

  #endpointsOn(connection: NatsConnection, peers: PlainPeers): readonly PlainEndpoint[] {
    const { subjectPrefix, queue, timeoutMs } = this.#settings;
    const unary = this.#service.record.endpoints.filter(
      ({ metadata }) => metadata?.stream !== 'true' && metadata?.subscriber !== 'true',
    );
    return unary.map(({ name, metadata, request, response }) => {
      const subject = `${subjectPrefix}.${name}`;
      checkSubject(subject, `${who}: the subject of endpoint "${name}"`);
      return new PlainEndpoint({
        connection,
        service: this.#service,
        endpoint: name,
        info: {
          name: plainName(name),
          subject,
          queue_group: queue,
          // The shapes of Go Micro; the JSON Schemas of a definition are metadata already.
          metadata: {
            ...(request && { request: JSON.stringify(request) }),
            ...(response && { response: JSON.stringify(response) }),
            ...metadata,
          },
        },
        timeoutMs,
        peers,
        logger: this.#logger,
      });
    });
  }

  #discoveryOn(connection: NatsConnection, endpoints: readonly PlainEndpoint[], peers: PlainPeers): Discovery {
    const { node, name } = this.#service;
    if (node === undefined) throw new MicroError('internal', `${who}: service "${name}" has no node`);
    return new Discovery({
      connection,
      logger: this.#logger,
      identity: this.#settings.identity,
      id: plainName(node.id),
      // The names by which the registry knows them.
      metadata: { service: name, node: node.id, ...node.metadata },
      endpoints,
      peers,
    });
  }
}
