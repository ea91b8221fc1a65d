import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../go/etcd', import.meta.url));
const withinMs = 20_000;

type Line = Readonly<Record<string, unknown>>;

/** Go Micro's etcd registry in a process of its own, which obeys JSON lines. */
export class EtcdPeer implements AsyncDisposable {
  readonly lines: Line[] = [];
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #listeners = new Set<() => void>();

  private constructor(folder: string, child: ChildProcess) {
    this.#folder = folder;
    this.#child = child;
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.lines.push(JSON.parse(line));
      for (const listener of this.#listeners) listener();
    });
  }

  /** Builds and starts it. */
  static async start(address: string): Promise<EtcdPeer> {
    const folder = mkdtempSync(join(tmpdir(), 'ts-micro-go-etcd-'));
    const binary = join(folder, 'etcd-peer');
    const go = process.env.GO_BIN || 'go';
    const built = spawnSync(go, ['build', '-trimpath', '-o', binary, '.'], { cwd: source, encoding: 'utf8' });
    if (built.status !== 0)
      throw new Error(`go build of go/etcd failed: ${(built.stderr ?? String(built.error)).slice(-600)}`);
    const peer = new EtcdPeer(folder, spawn(binary, [address], { stdio: ['pipe', 'pipe', 'inherit'] }));
    await peer.line((line) => line.ready === 'etcd');
    return peer;
  }

  /** Sends a command, and resolves with what it says to it. */
  async ask(op: string, parameters: object = {}): Promise<Line> {
    const from = this.lines.length;
    this.#child.stdin?.write(`${JSON.stringify({ op, ...parameters })}\n`);
    const line = await this.line((each) => !('event' in each), from);
    if ('error' in line) throw new Error(`go ${op}: ${line.error}`);
    return line;
  }

  /** The first line from `from` on that `isMeant` says. */
  line(isMeant: (line: Line) => boolean, from = 0): Promise<Line> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error) => {
        const found = this.lines.slice(from).find(isMeant);
        if (!found && !error) return;
        clearTimeout(timer);
        this.#listeners.delete(look);
        if (found) resolve(found);
        else reject(error);
      };
      const look = () => settle();
      const timer = setTimeout(() => settle(new Error(`go said nothing such within ${withinMs} ms`)), withinMs);
      this.#listeners.add(look);
      look();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
