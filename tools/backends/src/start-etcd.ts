import { findProgram, type Server, startServer } from '@ts-micro/testkit/server';

const install = 'Get it with "apt-get install etcd-server" or "brew install etcd"';

/**
 * Starts an etcd of one member, which elects itself quickly, so that its shortest lease is one of a second. `extra` is
 * added to its parameters, as for TLS. Throws `unavailable` where there is none.
 */
export function startEtcd({
  extra = [],
  scheme = 'http',
}: {
  extra?: readonly string[];
  scheme?: string;
} = {}): Promise<Server> {
  const program = findProgram('etcd', { variable: 'ETCD_BIN', install });
  return startServer({
    name: 'etcd',
    ports: 2,
    command: ({ folder, ports: [client, peer] }) => [
      program,
      ...['--name', 'one', '--data-dir', folder, '--log-level', 'warn'],
      ...['--listen-client-urls', `${scheme}://127.0.0.1:${client}`],
      ...['--advertise-client-urls', `${scheme}://127.0.0.1:${client}`],
      ...['--listen-peer-urls', `http://127.0.0.1:${peer}`],
      ...['--initial-advertise-peer-urls', `http://127.0.0.1:${peer}`],
      ...['--initial-cluster', `one=http://127.0.0.1:${peer}`],
      ...['--heartbeat-interval', '10', '--election-timeout', '100', '--unsafe-no-fsync'],
      ...extra,
    ],
    ready: async ({ port }) => {
      if (scheme === 'https') return true;
      const answer = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(1000) });
      return JSON.parse(await answer.text()).health === 'true';
    },
  });
}
