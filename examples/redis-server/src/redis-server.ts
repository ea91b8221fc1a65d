import { once } from 'node:events';
import { connect } from 'node:net';
import { findProgram, type Server, startServer } from '@ts-micro/testkit/server';

const install = 'Get it with "apt-get install redis-server" or "brew install redis"';

/**
 * Starts a redis-server of its own that writes nothing to disk: whoever kills it loses all it knew. Throws where there
 * is no redis-server, saying how to get it.
 */
export function startRedisServer(): Promise<Server> {
  const program = findProgram('redis-server', { variable: 'REDIS_SERVER_BIN', install });
  return startServer({
    name: 'redis-server',
    command: ({ port }) => [program, '--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    ready: ({ port }) => answersPing(port),
  });
}

async function answersPing(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1').end('PING\r\n');
  try {
    const [reply] = await once(socket, 'data', { signal: AbortSignal.timeout(1000) });
    return String(reply) === '+PONG\r\n';
  } finally {
    socket.destroy();
  }
}
