import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';
import { expect, onTestFinished, test } from 'vitest';
import { findNatsServer, type NatsServer, startNatsServer } from '../src/nats.ts';

test('a server takes clients as soon as it is started', async () => {
  await using server = await startNatsServer();
  await using client = await dial(server);
  expect(await client.line()).toMatch(/^INFO /);
  expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
  expect(server.address).toBe(`127.0.0.1:${server.port}`);
});

test('two servers do not share a port', async () => {
  await using one = await startNatsServer();
  await using other = await startNatsServer();
  expect(one.port).not.toBe(other.port);
});

test('a port that is taken is a conflict', async () => {
  await using server = await startNatsServer();
  await expect(startNatsServer({ port: server.port })).rejects.toMatchObject({ code: 'conflict' });
});

test('a configuration that nats-server refuses is unavailable, with what it logged', async () => {
  await expect(startNatsServer({ config: 'no_such_setting: 1' })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('no_such_setting'),
  });
});

test('configuration reaches the server', async () => {
  await using server = await startNatsServer({ config: 'max_payload: 4321' });
  expect(await server.monitor('varz')).toMatchObject({ max_payload: 4321 });
});

test('kill ends it at once, and restart brings it back on the same port', async () => {
  await using server = await startNatsServer();
  const { port, pid } = server;
  await server.kill();
  expect(server.isRunning).toBe(false);
  expect(() => process.kill(pid, 0)).toThrow();
  await server.restart();
  expect(server.port).toBe(port);
  expect(server.pid).not.toBe(pid);
  await using client = await dial(server);
  expect(await client.line()).toMatch(/^INFO /);
});

test('restart takes a new configuration', async () => {
  await using server = await startNatsServer();
  await server.stop();
  await server.restart({ config: 'max_payload: 1234' });
  expect(await server.monitor('varz')).toMatchObject({ max_payload: 1234 });
});

test('stop ends a suspended server too', async () => {
  await using server = await startNatsServer();
  server.suspend();
  await server.stop();
  expect(server.isRunning).toBe(false);
});

test('a suspended server answers once it is resumed', async () => {
  await using server = await startNatsServer();
  await using client = await dial(server);
  await client.line();
  client.write('CONNECT {"verbose":false}\r\nPING\r\n');
  expect(await client.line()).toBe('PONG');
  server.suspend();
  expect(processState(server.pid)).toBe('T');
  client.write('PING\r\n');
  expect(client.waiting).toBe(0);
  server.resume();
  expect(await client.line()).toBe('PONG');
});

test('counts are those of its clients', async () => {
  await using server = await startNatsServer();
  expect(await server.counts()).toEqual({ connections: 0, subscriptions: 0 });
  await using client = await dial(server);
  await client.line();
  client.write('CONNECT {"verbose":false}\r\nSUB one 1\r\nSUB two 2\r\nPING\r\n');
  expect(await client.line()).toBe('PONG');
  expect(await server.counts()).toEqual({ connections: 1, subscriptions: 2 });
});

test('SIGUSR2 is lame duck', async () => {
  await using server = await startNatsServer({ config: 'lame_duck_grace_period: "100ms"' });
  await using client = await dial(server);
  await client.line();
  client.write('CONNECT {"verbose":false,"protocol":1}\r\nPING\r\n');
  // Newer servers send their INFO again in between.
  const lines: string[] = [];
  const lineOf = async (pattern: RegExp) => {
    while (!pattern.test(lines.at(-1) ?? '')) lines.push(await client.line());
  };
  await lineOf(/^PONG$/);
  server.signal('SIGUSR2');
  await lineOf(/"ldm":true/);
  expect(server.logs()).toContain('lame duck');
});

test('after disposal it is gone and does not restart', async () => {
  const server = await startNatsServer();
  const { pid } = server;
  await server[Symbol.asyncDispose]();
  expect(() => process.kill(pid, 0)).toThrow();
  expect(() => server.signal('SIGHUP')).toThrow(expect.objectContaining({ code: 'closed' }));
  await expect(server.counts()).rejects.toMatchObject({ code: 'unavailable' });
  await expect(server.restart()).rejects.toMatchObject({ code: 'closed' });
});

test('a server does not outlive the process that started it, even when that is killed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ts-micro-outlive-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await build({
    config: false,
    silent: true,
    entry: [fileURLToPath(new URL('../src/nats.ts', import.meta.url))],
    format: 'esm',
    outDir: folder,
    outExtension: () => ({ js: '.mjs' }),
    noExternal: [/./],
    esbuildOptions: (options) => {
      options.conditions = ['@ts-micro/source'];
    },
  });
  const program = `
    const { startNatsServer } = await import(${JSON.stringify(join(folder, 'nats.mjs'))});
    console.log((await startNatsServer()).pid);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: folder },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [pid] = await once(createInterface(child.stdout), 'line');
  process.kill(Number(pid), 0);
  child.kill('SIGKILL');
  await expect.poll(() => isAlive(Number(pid)), { timeout: 5000 }).toBe(false);
});

test('a missing program is unavailable and says how to get it', () => {
  expect(() => findNatsServer({ NATS_SERVER_BIN: '/no/such/program' })).toThrow(
    expect.objectContaining({ code: 'unavailable', message: expect.stringContaining('/no/such/program') }),
  );
  if (existsSync('/usr/sbin/nats-server')) {
    expect(findNatsServer({ PATH: '' })).toBe('/usr/sbin/nats-server');
  } else {
    expect(() => findNatsServer({ PATH: '' })).toThrow(
      expect.objectContaining({ code: 'unavailable', message: expect.stringContaining('apt-get install nats-server') }),
    );
  }
});

test('NATS_SERVER_BIN goes before PATH', () => {
  expect(findNatsServer({ ...process.env, NATS_SERVER_BIN: process.execPath })).toBe(process.execPath);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

interface TextClient extends AsyncDisposable {
  /** Lines that arrived and were not asked for. */
  readonly waiting: number;
  line(): Promise<string>;
  write(text: string): void;
}

/** A client that speaks the NATS protocol by hand. */
async function dial(server: NatsServer): Promise<TextClient> {
  const socket: Socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  const lines: string[] = [];
  createInterface(socket).on('line', (line) => {
    // The server pings when it likes.
    if (line !== 'PING') lines.push(line);
  });
  return {
    get waiting() {
      return lines.length;
    },
    async line() {
      await expect.poll(() => lines.length, { interval: 5, timeout: 5000 }).toBeGreaterThan(0);
      return lines.shift() ?? '';
    },
    write: (text) => void socket.write(text),
    async [Symbol.asyncDispose]() {
      socket.destroy();
    },
  };
}

/** `T` is stopped. Linux tells it in a file, and may have no `ps`. */
function processState(pid: number): string {
  const file = `/proc/${pid}/stat`;
  if (existsSync(file))
    return readFileSync(file, 'utf8')
      .replace(/^.*\) /s, '')
      .charAt(0);
  return execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' })
    .trim()
    .charAt(0);
}
