import { connect } from '@nats-io/transport-node';
import { answer, type Sample } from '../harness/report/sample.ts';
import type { Contender } from './contender.ts';

/** The newer client, `@nats-io/transport-node`, with `request()`. */
export const contender: Contender = {
  async serve({ address, name }) {
    const connection = await connect({ servers: address });
    connection.subscribe(`${name}.echo`, {
      callback: (_error, message) => {
        message.respond(JSON.stringify(answer(message.json<Sample>())));
      },
    });
    await connection.flush();
    return { close: () => connection.close() };
  },

  async connect({ address, name }) {
    const connection = await connect({ servers: address });
    return {
      async call(request) {
        const reply = await connection.request(`${name}.echo`, JSON.stringify(request), { timeout: 5000 });
        return reply.json<Sample>();
      },
      close: () => connection.close(),
    };
  },
};
