import type nats from 'nats';
import type transport from 'nats/lib/nats-base-client/transport.js';
import type node from 'nats/lib/src/node_transport.js';

declare const client: Pick<typeof nats, 'connect' | 'jwtAuthenticator' | 'nkeyAuthenticator' | 'nkeys'> &
  Pick<typeof transport, 'setTransportFactory'> &
  Pick<typeof node, 'NodeTransport' | 'nodeResolveHost'>;

export = client;
