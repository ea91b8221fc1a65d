import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { MicroError } from '@ts-micro/core';

const firstPort = 10_000;
// Linux gives who asks for any port one from 32768 up, other systems one from 49152 up; and so all outgoing
// connections.
const lastPort = 32_767;
const attempts = 1000;

/**
 * Different ports of 127.0.0.1 on which nobody listens, and of which the system gives nobody one unasked: a server that
 * is killed and
 * started again finds its own still free. Throws `unavailable` where none are left.
 */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Map<number, Server>();
  try {
    for (let attempt = 0; found.size < count; attempt++) {
      if (attempt === attempts) throw new MicroError('unavailable', `free ports: found ${found.size} of ${count}`);
      const port = randomInt(firstPort, lastPort + 1);
      const server = await listenOn(port);
      if (server) found.set(port, server);
    }
    return [...found.keys()];
  } finally {
    for (const server of found.values()) {
      server.close();
      await once(server, 'close');
    }
  }
}

async function listenOn(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}
