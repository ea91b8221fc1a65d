import { type AbortOptions, MicroError, type ServiceRecord } from '@ts-micro/core';
import type { RateLimitedLogger } from '../../lifecycle/rate-limited-logger.ts';
import { deepEqual } from '../deep-equal.ts';
import { checkTtl } from '../registry-rules.ts';
import type { NodeChange, NodeStore, NodesHeld } from './node-store.ts';
import type { RegistryStore } from './registry-store.ts';
import { fieldOf, isLive, parseNodes, readRecord, type StoredNode, splitRecord, staleFields } from './stored-node.ts';

/** Nodes with leases over a store that only keeps texts, has a clock and passes messages on. */
export class TextNodeStore implements NodeStore {
  readonly #store: RegistryStore;
  readonly #who: string;
  readonly #logger: RateLimitedLogger;
  readonly #maxRecordBytes: number;
  readonly #owner = crypto.randomUUID();
  /** What this instance put last, by field. */
  readonly #own = new Map<string, StoredNode>();
  #listener: ((text: string) => void) | undefined;

  constructor(store: RegistryStore, who: string, logger: RateLimitedLogger, maxRecordBytes: number) {
    this.#store = store;
    this.#who = who;
    this.#logger = logger;
    this.#maxRecordBytes = maxRecordBytes;
  }

  async read(_service: string | undefined, options: AbortOptions): Promise<NodesHeld> {
    const [texts, now] = await Promise.all([this.#store.read(options), this.#store.now(options)]);
    const nodes = this.#parse(Object.values(texts));
    const stale = staleFields(nodes, now);
    if (stale.length > 0) await this.#store.remove(stale, options);
    const live = nodes.filter((node) => isLive(node, now)).sort((a, b) => a.changedAt - b.changedAt);
    return { nodes: live.map(({ record, endsAt }) => ({ record, leftMs: endsAt && endsAt - now })) };
  }

  async put(record: ServiceRecord, ttlMs: number | undefined, options: AbortOptions): Promise<void> {
    const told = JSON.stringify({ put: record, ttlMs });
    if (told.length > this.#maxRecordBytes) throw new MicroError('too_large', `${this.#who}: ${this.#tooLong(told)}`);
    const nodes = splitRecord(record);
    const now = await this.#store.now(options);
    const stored = await this.#known(nodes, options);
    const changedAt = laterThan(stored.values(), record, now);
    const texts: Record<string, string> = {};
    for (const one of nodes) {
      const field = fieldOf(one);
      const known = stored.get(field);
      const isSame = known !== undefined && isLive(known, now) && deepEqual(known.record, one);
      const endsAt = ttlMs && now + ttlMs;
      const node = { owner: this.#owner, changedAt: isSame ? known.changedAt : changedAt, endsAt, record: one };
      this.#own.set(field, node);
      texts[field] = JSON.stringify(node);
    }
    await this.#store.put(texts, options);
    // With nodes, a version no longer stands for itself.
    if (record.nodes.length > 0) await this.#store.remove([fieldOf({ ...record, nodes: [] })], options);
    await this.#store.publish(told, options);
  }

  async remove(record: ServiceRecord, options: AbortOptions): Promise<void> {
    const fields = splitRecord(record).map(fieldOf);
    for (const field of fields) this.#own.delete(field);
    await this.#store.remove(fields, options);
    await this.#store.publish(JSON.stringify({ drop: record }), options);
  }

  async removeOwn(records: readonly ServiceRecord[], options: AbortOptions): Promise<void> {
    const texts = await this.#store.read(options);
    for (const record of records) {
      const [stored] = this.#parse([texts[fieldOf(record)] ?? '']);
      if (stored?.owner === this.#owner) await this.remove(record, options);
    }
  }

  follow(listener: (change: NodeChange) => void, options: AbortOptions): Promise<unknown> {
    this.#listener ??= (text) => this.#hear(text, listener);
    return this.#store.subscribe(this.#listener, options);
  }

  close(options: AbortOptions): Promise<unknown> {
    this.#logger.end();
    return this.#store.close(options);
  }

  #hear(text: string, listener: (change: NodeChange) => void): void {
    try {
      if (text.length > this.#maxRecordBytes) throw new MicroError('too_large', this.#tooLong(text));
      const { put, ttlMs, drop } = JSON.parse(text);
      const record = readRecord(put ?? drop);
      checkTtl(ttlMs, this.#who);
      listener({ type: put ? 'put' : 'remove', record, ttlMs });
    } catch (error) {
      this.#logger.warn(`${this.#who}: malformed message ignored`, { error });
    }
  }

  #parse(texts: readonly string[]): readonly StoredNode[] {
    return parseNodes(texts.filter(({ length }) => length <= this.#maxRecordBytes));
  }

  #tooLong({ length }: string): string {
    return `a record of ${length} characters, more than maxRecordBytes (${this.#maxRecordBytes})`;
  }

  /** Returns what is registered already: as known here where all of it only needs renewing, else as stored. */
  async #known(nodes: readonly ServiceRecord[], options: AbortOptions): Promise<Map<string, StoredNode>> {
    const mine = nodes.map((node) => this.#own.get(fieldOf(node)));
    const isRenewal = nodes.every((node, index) => deepEqual(mine[index]?.record, node));
    const known = isRenewal ? mine : this.#parse(Object.values(await this.#store.read(options)));
    return new Map(known.flatMap((node) => (node ? [[fieldOf(node.record), node]] : [])));
  }
}

/** A time that comes after every change of that version, even where the clock stands still or was set back. */
function laterThan(stored: Iterable<StoredNode>, { name, version }: ServiceRecord, now: number): number {
  let latest = now;
  for (const { record, changedAt } of stored)
    if (record.name === name && record.version === version) latest = Math.max(latest, changedAt + 0.001);
  return latest;
}
