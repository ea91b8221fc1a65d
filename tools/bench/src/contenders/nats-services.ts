import { Svcm } from '@nats-io/services';
import { connect } from '@nats-io/transport-node';
import { answer, type Sample } from '../harness/report/sample.ts';
import type { Contender } from './contender.ts';
import { contender as transportNode } from './transport-node.ts';

type ServicesConnection = ConstructorParameters<typeof Svcm>[0];

/** The NATS services API on the newer client: an endpoint on one side, `request()` on the other. */
export const contender: Contender = {
  async serve({ address, name }) {
    const connection = await connect({ servers: address });
    // The services package declares the types of an older release of the same client.
    const service = await new Svcm(connection as unknown as ServicesConnection).add({ name, version: '1.0.0' });
    service.addEndpoint('echo', {
      subject: `${name}.echo`,
      handler: (_error, message) => {
        message.respond(JSON.stringify(answer(message.json<Sample>())));
      },
    });
    await connection.flush();
    return { close: () => connection.close() };
  },

  connect: (meeting) => transportNode.connect(meeting),
};
