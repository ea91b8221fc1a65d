import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram, type Server, startServer } from '@ts-micro/testkit/server';

const install = 'Get it with "apt-get install mosquitto" or "brew install mosquitto"';

/** Starts a mosquitto with these lines of configuration; `undefined`, and a line that says so, where there is none. */
export async function startMosquitto(...lines: string[]): Promise<Server | undefined> {
  const program = findMosquitto();
  if (program === undefined) return undefined;
  return startServer({
    name: 'mosquitto',
    async command({ port, folder }) {
      const passwords = join(folder, 'passwords');
      const file = join(folder, 'mosquitto.conf');
      // Anybody may come without a name, and nobody by one. Started by root it would else read no file of root's.
      const own = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', `password_file ${passwords}`, 'user root'];
      // Else it takes 20 messages at once, answers them late, and drops what a busy subscriber leaves waiting.
      own.push('set_tcp_nodelay true', 'max_inflight_messages 1000', 'max_queued_messages 0');
      await writeFile(passwords, '');
      await writeFile(file, `${[...own, ...lines].join('\n')}\n`);
      return [program, '-c', file];
    },
  });
}

function findMosquitto(): string | undefined {
  try {
    return findProgram('mosquitto', { variable: 'MOSQUITTO_BIN', install });
  } catch (error) {
    console.info(`plugin-mqtt-broker: not run: ${(error as Error).message}`);
    return undefined;
  }
}
