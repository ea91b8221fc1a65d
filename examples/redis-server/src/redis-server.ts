import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '@ts-micro/testkit/nats';

const startWithinMs = 15_000;

// Ends with the pipe to its standard input, and the server with it: so not even a SIGKILL of the tests leaves one
// behind.
const guard = '"$0" "$@" </dev/null >/dev/null 2>&1 & read -r _; kill -9 $!; wait $! 2>/dev/null';

/** A redis-server of its own on 127.0.0.1 that writes nothing to disk: whoever kills it loses all it knew. */
export class RedisServer implements AsyncDisposable {
  readonly #port: number;
  #shell: ChildProcess | undefined;

  private constructor(port: number) {
    this.#port = port;
  }

  /** Throws where there is no redis-server, saying how to get it. */
  static async start(): Promise<RedisServer> {
    const [port = 0] = await freePorts(1);
    const server = new RedisServer(port);
    await server.restart();
    return server;
  }

  /** `127.0.0.1:PORT`. */
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** SIGKILL, and waits for the exit. */
  async kill(): Promise<void> {
    const shell = this.#shell;
    this.#shell = undefined;
    if (!shell) return;
    shell.ref();
    const exited = once(shell, 'exit');
    shell.stdin?.end();
    await exited;
  }

  /** Starts it again, on the same port and empty; resolves once it answers. */
  async restart(): Promise<void> {
    await this.kill();
    const settings = ['--port', String(this.#port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const shell = spawn('/bin/sh', ['-c', guard, findRedisServer(), ...settings], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    shell.unref();
    (shell.stdin as unknown as { unref(): void }).unref();
    this.#shell = shell;
    const deadline = performance.now() + startWithinMs;
    while (!(await this.#answers())) {
      if (performance.now() > deadline)
        throw new Error(`redis-server: no answer at ${this.address} after ${startWithinMs} ms`);
      await sleep(10);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  async #answers(): Promise<boolean> {
    const socket = connect(this.#port, '127.0.0.1').end('PING\r\n');
    try {
      const [reply] = await once(socket, 'data', { signal: AbortSignal.timeout(1000) });
      return String(reply) === '+PONG\r\n';
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }
}

function findRedisServer(): string {
  const program = process.env.REDIS_SERVER_BIN || 'redis-server';
  const { error } = spawnSync(program, ['--version'], { stdio: 'ignore' });
  if (!error) return program;
  throw new Error(
    `redis-server: ${program} does not start (${error.message}). These tests need it: get it with "apt-get install redis-server" or ` +
      '"brew install redis", or name one in REDIS_SERVER_BIN.',
  );
}
