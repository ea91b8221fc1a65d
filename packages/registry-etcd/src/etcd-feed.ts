import type { IncomingMessage } from 'node:http';
import { type AbortOptions, MicroError } from '@ts-micro/core';
import { bounded, LazyConnection, type NodeChange, nodeChanges, pause } from '@ts-micro/kit';
import { linesOf } from '@ts-micro/kit/http';
import type { EtcdClient } from './etcd-client.ts';
import { base64, type KeyValue, rangeOf, recordOf } from './etcd-keys.ts';
import { type EtcdSettings, who } from './etcd-registry-options.ts';

interface KeyEvent {
  readonly type?: 'PUT' | 'DELETE';
  readonly kv: KeyValue;
  readonly prev_kv?: KeyValue;
}

const mostLineCharacters = 64 * 1024 * 1024;

/**
 * The one watch of a registry, over all of its keys. Where it ends, as when etcd has compacted what it would tell or
 * its member is gone, another begins, and `onGap` is told: what was missed has to be read.
 */
export class EtcdFeed {
  onChange: (change: NodeChange) => void = () => {};
  readonly #client: EtcdClient;
  readonly #settings: EtcdSettings;
  readonly #onGap: () => void;
  readonly #watch: LazyConnection<IncomingMessage>;
  readonly #life = new AbortController();
  #hasBegun = false;
  #current: IncomingMessage | undefined;

  constructor(client: EtcdClient, settings: EtcdSettings, onGap: () => void) {
    this.#client = client;
    this.#settings = settings;
    this.#onGap = onGap;
    this.#watch = new LazyConnection({
      what: `${who}: watching`,
      dial: () => this.#begin(),
      isReady: (answers) => !answers.destroyed,
      whenLost: (answers) => new Promise((resolve) => answers.once('close', resolve)),
      close: async () => {},
      destroy: (answers) => void answers.destroy(),
    });
  }

  /** Whether changes come in; `undefined` where nobody has asked for them. */
  get isRunning(): boolean | undefined {
    return this.#hasBegun ? this.#current?.destroyed === false : undefined;
  }

  /** Resolves once changes come in. */
  start(options: AbortOptions): Promise<void> {
    return this.#watch.use(async () => {}, options);
  }

  close(): Promise<void> {
    this.#life.abort();
    return this.#watch.end();
  }

  async #begin(): Promise<IncomingMessage> {
    const { prefix, requestTimeoutMs } = this.#settings;
    const create = { ...rangeOf(prefix), prev_kv: true };
    const answers = await this.#client.stream('watch', { create_request: create });
    const { member } = this.#client;
    let onCreated = () => {};
    const created = new Promise<void>((resolve) => {
      onCreated = resolve;
    });
    const ended = this.#follow(answers, () => onCreated());
    const refused = ended.then(() => Promise.reject(new MicroError('unavailable', `${who}: the watch was refused`)));
    try {
      await bounded(Promise.race([created, refused]), { signal: this.#life.signal }, requestTimeoutMs, who);
    } catch (error) {
      answers.destroy();
      throw error;
    }
    refused.catch(() => {});
    this.#current = answers;
    void this.#watchMember(answers, member);
    if (this.#hasBegun) this.#onGap();
    this.#hasBegun = true;
    return answers;
  }

  /** Takes answers until there are no more. Never rejects. */
  async #follow(answers: IncomingMessage, onCreated: () => void): Promise<void> {
    try {
      for await (const line of linesOf(answers, mostLineCharacters)) {
        const { result } = JSON.parse(line);
        // Compacted, or refused.
        if (result === undefined || result.canceled) return;
        if (result.created) onCreated();
        this.#tell(result.events ?? []);
      }
    } catch {
      // Lost, which its end tells.
    } finally {
      answers.destroy();
    }
  }

  /** A member that is silent may be gone, or cut off from the others: then it answers no question either. */
  async #watchMember(answers: IncomingMessage, member: number): Promise<void> {
    const { prefix, pingIntervalMs } = this.#settings;
    const options = { signal: this.#life.signal, keepsAlive: false };
    for (;;) {
      await pause(pingIntervalMs, options);
      if (answers.destroyed || this.#life.signal.aborted) return;
      const asking = this.#client.call('kv/range', { key: base64(prefix), count_only: true }, options);
      const error = await asking.catch((error) => error);
      // Or another member has answered.
      if (MicroError.is(error, 'unavailable') || this.#client.member !== member) answers.destroy();
    }
  }

  #tell(events: readonly KeyEvent[]): void {
    const { maxRecordBytes } = this.#settings;
    const records = events.map(({ type, kv, prev_kv: before }) => ({
      was: before && recordOf(before, maxRecordBytes),
      is: type === 'DELETE' ? undefined : recordOf(kv, maxRecordBytes),
      revision: Number(kv.mod_revision),
    }));
    for (const change of nodeChanges(records)) this.onChange(change);
  }
}
