import { type ErrorCode, MicroError } from '@ts-micro/core';
import { LazyConnection, randomToken } from '@ts-micro/kit';
import { connect, type OnMessageCallback } from 'mqtt';
import { MqttLink } from './mqtt-link.ts';

export interface MqttConnectionOptions {
  readonly url: string;
  /** Begins every message. */
  readonly who: string;
  /** Runs on each new link before any call does. */
  readonly prepare: (link: MqttLink) => Promise<unknown>;
  readonly onMessage: OnMessageCallback;
}

/** By the reason that a server gives; all others are `unavailable`. */
const codes: Readonly<Record<number, ErrorCode>> = {
  134: 'unauthorized', // user name or password
  135: 'unauthorized', // not authorized
  138: 'unauthorized', // banned
  143: 'invalid', // topic filter
  144: 'invalid', // topic name
  149: 'too_large', // packet
  158: 'unsupported', // shared subscriptions
  161: 'unsupported', // subscription identifiers
  162: 'unsupported', // wildcards
};

/** The link that all calls share, made again where it is lost. Throws `invalid` where `url` is none. */
export function mqttConnection(options: MqttConnectionOptions): LazyConnection<MqttLink> {
  const { url, who, prepare } = options;
  if (!/^mqtts?:/.test(url) || !URL.canParse(url)) throw new MicroError('invalid', `${who}: url is no mqtt://...`);
  return new LazyConnection({
    what: who,
    dial: () => dial(options),
    prepare,
    isReady: ({ client }) => client.connected,
    whenLost: ({ lost }) => lost,
    close: ({ client }) => client.endAsync(),
    destroy({ client }) {
      client.end(true);
      // The client does nothing where it is ending already, and that may wait for a server that is silent.
      client.stream.destroy();
    },
    codeOf: (error) => codes[(error as { readonly code: number }).code] ?? 'unavailable',
  });
}

function dial({ url, who, onMessage }: MqttConnectionOptions): Promise<MqttLink> {
  return new Promise((resolve, reject) => {
    const client = connect(url, {
      protocolVersion: 5,
      // As long as every server takes it.
      clientId: randomToken().replaceAll(/\W/g, '').slice(0, 20),
      // The session ends with its link, so that no server delivers anything twice.
      clean: true,
      // Nothing is kept for later: who publishes during an outage is told at once.
      reconnectPeriod: 0,
      queueQoSZero: false,
      connectTimeout: 5000,
      // A server that is silent for 1.5 times as long is gone.
      keepalive: 10,
    });
    const lost = new Promise<void>((resolveLost) => client.once('close', resolveLost));
    const fail = (error: Error): void => {
      client.end(true);
      reject(error);
    };
    client.on('error', fail);
    void lost.then(() => fail(new MicroError('unavailable', `${who}: the server ended the connection`)));
    client.on('message', onMessage);
    client.once('connect', ({ properties }) => resolve(new MqttLink({ client, lost, who, limits: properties })));
  });
}
