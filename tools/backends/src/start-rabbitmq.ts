import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Faults } from '@ts-micro/testkit';
import { findProgram, type Server, startServer } from '@ts-micro/testkit/server';

const install = 'Get it with "apt-get install rabbitmq-server" or "brew install rabbitmq"';

/**
 * Starts a RabbitMQ of one node, with an Erlang port mapper of its own. `config` is added to its rabbitmq.conf. Throws
 * `unavailable` where there is none.
 *
 * The first `kill` of its faults is one of the whole program. Later ones cut the network and stop RabbitMQ inside of
 * Erlang, which clients cannot tell from it, as a start of Erlang takes seconds of a processor.
 */
export async function startRabbitmq({ config = '' }: { config?: string } = {}): Promise<Server> {
  const program = findRabbitmq();
  const mapper = findProgram('epmd', { variable: 'EPMD_BIN', install });
  const server = await startServer({
    name: 'rabbitmq',
    ports: 4,
    startWithinMs: 240_000,
    // Erlang gets to the control when RabbitMQ has started.
    ready: async ({ ports }) => (await tell(ports, 'hello')) === 'ok',
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
      TS_MICRO_CONTROL: join(folder, 'control.erl'),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: [
        '+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}',
        '-eval file:eval(os:getenv("TS_MICRO_CONTROL"))',
      ].join(' '),
    }),
    command: async ({ folder, ports: [, epmd, , control] }) => {
      await writeFile(join(folder, 'plugins'), '[].');
      await writeFile(join(folder, 'rabbitmq.conf'), `log.console.level = warning\n${config}\n`);
      await writeFile(join(folder, 'control.erl'), controlOn(control));
      // The mapper is a part of the group that is killed; one that RabbitMQ starts would outlive it.
      return ['/bin/sh', '-c', `"$0" -port ${epmd} & exec "$1"`, mapper, program];
    },
  });
  return Object.defineProperty(server, 'faults', { value: quickFaults(server) });
}

function quickFaults(server: Server): Required<Faults> {
  const { faults, proxy, ports } = server;
  let kills = 0;
  const obey = async (word: 'start' | 'stop'): Promise<void> => {
    const answer = await tell(ports, word);
    if (answer !== 'ok') throw new Error(`rabbitmq: ${word}: ${answer}`);
  };
  return {
    ...faults,
    async kill() {
      if (kills++ === 0) return faults.kill();
      proxy.cut();
      await obey('stop');
    },
    async restart() {
      if (kills === 1) return faults.restart();
      await obey('start');
      proxy.heal();
    },
  };
}

/** Says a word to the control, and returns what it answers. */
function tell([, , , control = 0]: readonly number[], word: string): Promise<string> {
  const socket = connect(control, '127.0.0.1');
  socket.end(`${word}\n`);
  return text(socket);
}

/** Erlang that starts and stops RabbitMQ for whoever asks on a port. */
function controlOn(port: number | undefined): string {
  return `spawn(fun() ->
    Options = [list, {active, false}, {packet, line}, {exit_on_close, false}, {reuseaddr, true}],
    {ok, Listening} = gen_tcp:listen(${port}, [{ip, {127, 0, 0, 1}} | Options]),
    Serve = fun Serve() ->
      {ok, Socket} = gen_tcp:accept(Listening),
      {ok, Word} = gen_tcp:recv(Socket, 0),
      Answer = (catch case Word of "stop\\n" -> rabbit:stop(); "start\\n" -> rabbit:start(); _ -> ok end),
      gen_tcp:send(Socket, io_lib:format("~0p", [Answer])),
      gen_tcp:close(Socket),
      Serve()
    end,
    Serve()
  end).
`;
}

/** Debian's script in PATH changes to a user of its own; the one behind it does not. */
function findRabbitmq(): string {
  const debian = '/usr/lib/rabbitmq/bin/rabbitmq-server';
  if (!process.env.RABBITMQ_SERVER_BIN && existsSync(debian)) return debian;
  return findProgram('rabbitmq-server', { variable: 'RABBITMQ_SERVER_BIN', install });
}
