import { connect } from '@nats-io/transport-node';
import { wrapNatsConnection } from '@ts-micro/nats';
import type { Contender } from './contender.ts';
import { tsMicro } from './ts-micro.ts';

/** Over a connection that somebody made with `@nats-io/transport-node` and lent. */
export const contender: Contender = tsMicro({
  dialect: 'auto',
  broker: 'native',
  async connect(address) {
    const lent = await connect({ servers: address });
    const connection = wrapNatsConnection(lent);
    // It stays its owner's, which this is as well.
    void connection.closed.then(() => lent.close());
    return connection;
  },
});
