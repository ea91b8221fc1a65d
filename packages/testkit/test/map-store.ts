import { MicroError } from '@ts-micro/core';
import type { RegistryStore } from '@ts-micro/kit';

/** A store in this process that can be taken away, with all it holds, and come back. */
export class MapStore {
  readonly texts: Map<string, string> = new Map();
  readonly #clients = new Set<{ onBack: () => void; listeners: Set<(text: string) => void> }>();
  #isUp = true;

  /** How many clients are connected. */
  get clients(): number {
    return this.#clients.size;
  }

  /** Out of reach, with all it holds. */
  cut(): void {
    this.#isUp = false;
  }

  /** Gone, with nothing left. */
  kill(): void {
    this.cut();
    this.texts.clear();
  }

  /** In silence no client is told that it is there again. */
  restart({ isSilent = false }: { readonly isSilent?: boolean } = {}): void {
    this.#isUp = true;
    if (isSilent) return;
    for (const { onBack } of this.#clients) onBack();
  }

  publish(text: string): void {
    for (const { listeners } of this.#clients) for (const listener of listeners) listener(text);
  }

  /** What one registry sees of it; `onBack` tells when it is there again. */
  client(onBack: () => void): RegistryStore {
    const self = { onBack, listeners: new Set<(text: string) => void>() };
    this.#clients.add(self);
    const ask = async <T>(act: () => T): Promise<T> => {
      if (this.#isUp && this.#clients.has(self)) return act();
      throw new MicroError('unavailable', 'map store: not there');
    };
    return {
      read: () => ask(() => Object.fromEntries(this.texts)),
      put: (texts) => ask(() => Object.entries(texts).map(([name, text]) => this.texts.set(name, text))),
      remove: (names) => ask(() => names.map((name) => this.texts.delete(name))),
      // Whole ones, as of Date.now().
      now: () => ask(() => Math.floor(performance.now())),
      publish: (text) => ask(() => this.publish(text)),
      subscribe: (listener) => ask(() => self.listeners.add(listener)),
      close: async () => this.#clients.delete(self),
    };
  }
}
