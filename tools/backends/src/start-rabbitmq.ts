import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram, type Server, startServer } from '@ts-micro/testkit/server';

const install = 'Get it with "apt-get install rabbitmq-server" or "brew install rabbitmq"';

/**
 * Starts a RabbitMQ of one node, with an Erlang port mapper of its own. `config` is added to its rabbitmq.conf. Throws
 * `unavailable` where there is none.
 */
export function startRabbitmq({ config = '' }: { config?: string } = {}): Promise<Server> {
  const program = findRabbitmq();
  const mapper = findProgram('epmd', { install });
  return startServer({
    name: 'rabbitmq',
    ports: 3,
    startWithinMs: 240_000,
    env: ({ folder, ports: [port, epmd, dist] }) => ({
      HOME: folder,
      ERL_EPMD_PORT: `${epmd}`,
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_NODENAME: `ts-micro-${port}@localhost`,
      RABBITMQ_NODE_PORT: `${port}`,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_DIST_PORT: `${dist}`,
      RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
      RABBITMQ_LOG_BASE: join(folder, 'log'),
      RABBITMQ_LOGS: '-',
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
      RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
      RABBITMQ_CONF_ENV_FILE: '/dev/null',
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}',
    }),
    command: async ({ folder, ports: [, epmd] }) => {
      await writeFile(join(folder, 'plugins'), '[].');
      await writeFile(join(folder, 'rabbitmq.conf'), `log.console.level = warning\n${config}\n`);
      // The mapper is a part of the group that is killed; one that RabbitMQ starts would outlive it.
      return ['/bin/sh', '-c', `"$0" -port ${epmd} & exec "$1"`, mapper, program];
    },
  });
}

/** Debian's script in PATH changes to a user of its own; the one behind it does not. */
function findRabbitmq(): string {
  const debian = '/usr/lib/rabbitmq/bin/rabbitmq-server';
  if (!process.env.RABBITMQ_SERVER_BIN && existsSync(debian)) return debian;
  return findProgram('rabbitmq-server', { variable: 'RABBITMQ_SERVER_BIN', install });
}
