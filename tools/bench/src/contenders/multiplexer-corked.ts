import type { Socket } from 'node:net';
import { connect, type NatsConnection } from 'nats';
import type { Contender, ContenderClient } from './contender.ts';
import { Multiplexer, type Publish } from './multiplexer.ts';

/** Where the client keeps its socket. */
interface Internals {
  readonly protocol: { readonly transport: { readonly socket: Socket } };
}

/**
 * The hand-made multiplexer for large bodies: line, body and line end are three writes to the client's socket, so that
 * a body is never copied. It knows no broken connection and no slow server.
 */
export const contender: Contender = {
  async serve({ address, name }) {
    const connection = await connect({ servers: address });
    const write = corkedWriter(connection);
    connection.subscribe(`${name}.bytes`, { callback: (_error, { reply = '', data }) => write(reply, data, '') });
    await connection.flush();
    return { close: () => connection.close() };
  },

  async connect({ address, name }): Promise<ContenderClient> {
    const connection = await connect({ servers: address });
    const multiplexer = new Multiplexer(connection, corkedWriter(connection));
    return {
      call: () => Promise.reject(new Error('calls with bytes only')),
      callBytes: (body) => multiplexer.request(`${name}.bytes`, body),
      close: () => multiplexer.close(),
    };
  },
};

function corkedWriter(connection: NatsConnection): Publish {
  const { socket } = (connection as unknown as Internals).protocol.transport;
  let isCorked = false;
  const uncork = (): void => {
    isCorked = false;
    socket.uncork();
  };
  return (subject, payload, reply) => {
    if (!isCorked) {
      isCorked = true;
      socket.cork();
      queueMicrotask(uncork);
    }
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    socket.write(`PUB ${reply === '' ? subject : `${subject} ${reply}`} ${bytes.length}\r\n`, 'latin1');
    socket.write(bytes);
    socket.write('\r\n', 'latin1');
  };
}
