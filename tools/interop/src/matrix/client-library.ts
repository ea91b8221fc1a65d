import { connect } from '@nats-io/transport-node';
import { connectNats, type NatsConnection, type VendorConnection } from '@ts-micro/nats';

/** Which NATS client our side runs on: our own connection over `nats` 2.x, or one of `@nats-io/*` 3.x handed in. */
export type ClientLibrary = 'nats' | 'nats-io';

/** A connection for our plugins, and what closes it. */
export async function connectWith(
  library: ClientLibrary,
  address: string,
): Promise<{ connection: NatsConnection | VendorConnection; close: () => Promise<void> }> {
  if (library === 'nats') {
    const connection = await connectNats({ servers: address });
    return { connection, close: () => connection.close() };
  }
  const connection = await connect({ servers: address });
  return { connection, close: () => connection.close() };
}
