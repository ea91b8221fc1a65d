import { createConnection } from 'node:net';
import { hostOf } from './server-policy.ts';

const boundMs = 500;
/** A cluster may tell many. */
const most = 20;

/** Resolves with whether one of the first 20 of these servers, each `host:port`, takes a connection within 500 ms. */
export async function isAnyReachable(servers: readonly string[], abandoned: AbortSignal): Promise<boolean> {
  const dials = servers.slice(0, most).map((server) => isReachable(server, abandoned));
  const reached = dials.map(async (dial) => {
    if (!(await dial)) throw new Error('not reached');
  });
  return Promise.any(reached).then(
    () => true,
    () => false,
  );
}

function isReachable(server: string, abandoned: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const port = Number(server.slice(server.lastIndexOf(':') + 1));
    const socket = createConnection({ host: hostOf(server), port, autoSelectFamily: true });
    const end = (isReached: boolean) => {
      clearTimeout(timer);
      abandoned.removeEventListener('abort', give);
      socket.destroy();
      resolve(isReached);
    };
    const give = () => end(false);
    const timer = setTimeout(give, boundMs).unref();
    socket.once('connect', () => end(true));
    socket.on('error', give);
    abandoned.addEventListener('abort', give, { once: true });
  });
}
