import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { takesConnections } from '../src/server/takes-connections.ts';
import { findProgram, type Server, type ServerOptions, startServer } from '../src/server.ts';
import { until } from '../src/within.ts';

// Notes each start in its folder, and answers every line with the number of starts that it finds there.
const source = `
  const { appendFileSync, readFileSync } = require('node:fs');
  const [port, folder] = process.argv.slice(1);
  appendFileSync(folder + '/starts', 'x');
  process.stdout.write('a word of its own ' + process.env.WORD + '\\n');
  require('node:net')
    .createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.write(String(readFileSync(folder + '/starts').length)));
    })
    .listen(Number(port), '127.0.0.1');
`;

function start(options: Partial<ServerOptions> = {}): Promise<Server> {
  return startServer({
    name: 'echo',
    command: ({ port, folder }) => [process.execPath, '-e', source, String(port), folder],
    env: ({ port }) => ({ WORD: `of ${port}` }),
    ...options,
  });
}

async function ask(server: Server): Promise<string> {
  await using link = await open(server);
  return await link.ask();
}

async function open(server: Server): Promise<AsyncDisposable & { readonly socket: Socket; ask(): Promise<string> }> {
  const socket = connect(Number(server.address.split(':')[1]), '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return {
    socket,
    async ask() {
      socket.write('?');
      const [answer] = await once(socket, 'data', { signal: AbortSignal.timeout(10_000) });
      return String(answer);
    },
    async [Symbol.asyncDispose]() {
      if (socket.destroyed) return;
      const closed = once(socket, 'close');
      socket.destroy();
      await closed;
    },
  };
}

test('a server takes clients as soon as it is started, through its proxy', async () => {
  await using server = await start();
  expect(await ask(server)).toBe('1');
  expect(server.address).toBe(server.proxy.address);
  await until('its words are read', () => server.logs() === `a word of its own of ${server.port}`, 10_000);
});

test('a restart keeps its data and its address, and can lose the data', async () => {
  await using server = await start();
  const { address, pid } = server;
  await server.kill();
  expect(server.isRunning).toBe(false);
  await server.restart();
  expect(await ask(server)).toBe('2');
  expect([server.address, server.pid === pid]).toEqual([address, false]);
  await server.restart({ keepData: false });
  expect(await ask(server)).toBe('1');
});

test('the connections through the proxy are counted, and a cut ends them', async () => {
  await using server = await start();
  await using link = await open(server);
  await link.ask();
  expect(server.count()).toEqual({ connections: 1 });
  const closed = new Promise((resolve) => link.socket.once('close', resolve));
  server.proxy.cut();
  await closed;
  expect(server.count()).toEqual({ connections: 0 });
  server.proxy.heal();
  expect(await ask(server)).toBe('1');
});

test('a suspended server answers nobody until it goes on', async () => {
  await using server = await start();
  await using link = await open(server);
  await link.ask();
  server.suspend();
  const answer = link.ask();
  server.resume();
  expect(await answer).toBe('1');
});

test('a program that a start script starts is killed with it', async () => {
  const script = '"$0" -e "$1" "$2" "$3"; exit 1';
  await using server = await start({
    command: ({ port, folder }) => ['/bin/sh', '-c', script, process.execPath, source, String(port), folder],
  });
  expect(await ask(server)).toBe('1');
  await server.kill();
  expect(await takesConnections(server.port)).toBe(false);
  const taken = start({ ports: server.ports });
  await using again = await taken;
  expect(await ask(again)).toBe('1');
});

test('a server that does not start says so with its own last words, and leaves no folder', async () => {
  let folder = '';
  const failing = start({
    name: 'no starter',
    command: (place) => {
      folder = place.folder;
      return [process.execPath, '-e', 'console.error("I would rather not"); process.exitCode = 1;'];
    },
  });
  await expect(failing).rejects.toMatchObject({ code: 'unavailable', message: expect.stringMatching(/^no starter: /) });
  await expect(failing).rejects.toThrow('I would rather not');
  expect(existsSync(folder)).toBe(false);
});

test('a server that is never ready is killed and refused', async () => {
  await expect(start({ ready: () => false, startWithinMs: 50 })).rejects.toThrow('did not start within 50 ms');
});

test('a port that is taken is a conflict', async () => {
  await using server = await start();
  await expect(start({ ports: server.ports, ready: () => false })).rejects.toMatchObject({ code: 'conflict' });
});

test('a program that is not there is unavailable, and how to get it is told', () => {
  expect(() => findProgram('no-such-program', { variable: 'NO_SUCH_BIN', install: 'Get it' })).toThrow(
    'no-such-program: not found in NO_SUCH_BIN, PATH or /usr/sbin. Get it',
  );
});

test('nothing is left of a server that was disposed of', async () => {
  const server = await start();
  expect(readdirSync(server.folder)).toEqual(['starts']);
  await server[Symbol.asyncDispose]();
  expect(existsSync(server.folder)).toBe(false);
  await expect(server.restart()).rejects.toMatchObject({ code: 'closed' });
});
