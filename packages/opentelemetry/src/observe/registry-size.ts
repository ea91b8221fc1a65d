import { type Logger, MicroError, type Registry, type ServiceRecord, type Watcher } from '@ts-micro/core';
import { abortable, pause } from '@ts-micro/kit';

const firstPauseMs = 200;
const longestPauseMs = 10_000;

/** Follows a registry until `signal` aborts, and knows how much is in it. */
export class RegistrySize {
  readonly #registry: Registry;
  readonly #signal: AbortSignal;
  readonly #logger: Logger;
  #isRegistryClosed = false;
  /** The nodes of each version; `undefined` while it is not known. */
  #nodes: Map<string, number> | undefined;

  constructor(registry: Registry, signal: AbortSignal, logger: Logger) {
    this.#registry = registry;
    this.#signal = signal;
    this.#logger = logger;
  }

  /** How many services and nodes there are; `undefined` while the registry cannot be asked. */
  get now(): { readonly services: number; readonly nodes: number } | undefined {
    if (this.#nodes === undefined) return undefined;
    const names = new Set<string>();
    let nodes = 0;
    for (const [key, count] of this.#nodes) {
      names.add(key.slice(0, key.indexOf('\0')));
      nodes += count;
    }
    return { services: names.size, nodes };
  }

  /** Watches, and begins again whenever the watcher ends. Never rejects. */
  async follow(): Promise<void> {
    let pauseMs = firstPauseMs;
    while (!this.#signal.aborted) {
      try {
        await this.#watch(() => {
          pauseMs = firstPauseMs;
        });
      } catch (error) {
        if (this.#signal.aborted) return;
        this.#logger.warn('registry not watched', { registry: this.#registry.name, error, retryMs: pauseMs });
        if (MicroError.is(error, 'unsupported') || this.#isRegistryClosed) return;
      } finally {
        this.#nodes = undefined;
      }
      await pause(pauseMs, { signal: this.#signal, keepsAlive: false });
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
  }

  async #watch(onEvent: () => void): Promise<void> {
    const signal = this.#signal;
    const watching = this.#registry.watch({ signal });
    // Where the registry does not heed the signal, a watcher that comes too late is closed.
    watching.then(
      (late) => void (signal.aborted && late.close()),
      (error) => {
        this.#isRegistryClosed = MicroError.is(error, 'closed');
      },
    );
    const watcher: Watcher = await abortable(watching, signal, this.#registry.name);
    const end = () => void watcher.close();
    signal.addEventListener('abort', end, { once: true });
    try {
      // It may have aborted a moment after the watcher came.
      if (signal.aborted) return;
      for (let event = await watcher.receive(); event !== undefined; event = await watcher.receive()) {
        onEvent();
        if (event.type === 'resync') this.#nodes = new Map(event.services.map(sized));
        else if (event.type === 'delete') this.#nodes?.delete(keyOf(event.service));
        else this.#nodes?.set(...sized(event.service));
      }
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  }
}

function keyOf({ name, version }: ServiceRecord): string {
  return `${name}\0${version}`;
}

function sized(record: ServiceRecord): [key: string, nodes: number] {
  return [keyOf(record), record.nodes.length];
}
