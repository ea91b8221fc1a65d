import {
  type AbortOptions,
  type Logger,
  MicroError,
  type RegisterOptions,
  type ServiceRecord,
  silentLogger,
  type Watcher,
} from '@ts-micro/core';
import { bounded } from '../../lifecycle/bounded.ts';
import { closeAll } from '../../lifecycle/close-all.ts';
import { RateLimitedLogger } from '../../lifecycle/rate-limited-logger.ts';
import { FollowingWatcher } from '../following-watcher.ts';
import { LeaseTable } from '../lease-table.ts';
import { recordToJson } from '../record-json.ts';
import { RegistryBase } from '../registry-base.ts';
import { checkRecordBytes } from '../registry-rules.ts';
import { NodeRegistrations } from './node-registrations.ts';
import type { NodeChange, NodeStore } from './node-store.ts';
import { splitRecord } from './stored-node.ts';

export interface NodeRegistryOptions {
  /** Names it in flags and node metadata: `redis`. */
  readonly name: string;
  readonly store: NodeStore;
  /** How long closing waits for the store to take away what was registered here, in milliseconds. @default 5000 */
  readonly closeTimeoutMs?: number | undefined;
  /** The most nodes that a lookup returns, and that a watcher knows; the others are left out. @default 20000 */
  readonly maxNodes?: number | undefined;
  /** The memory that they may take, in bytes, roughly; beyond, the same. @default 67108864 (64 MiB) */
  readonly maxBytes?: number | undefined;
  /** The longest record of one node that is registered, in bytes of its JSON. @default any */
  readonly maxRecordBytes?: number | undefined;
  /** Told of nodes that are left out, at most once a second. @default silent */
  readonly logger?: Logger | undefined;
}

const retryMs = 500;

/**
 * A whole registry over a backend that holds nodes with leases for all instances. A node belongs to the instance that
 * registered it last; where the nodes of a version were registered with different metadata or endpoints, it has those
 * that changed last.
 */
export class NodeRegistry extends RegistryBase {
  readonly name: string;
  readonly #store: NodeStore;
  readonly #closeTimeoutMs: number;
  readonly #registrations: NodeRegistrations;
  readonly #maxRecordBytes: number;
  readonly #bounds: { readonly maxNodes: number; readonly maxBytes: number };
  readonly #logger: RateLimitedLogger;
  readonly #watchers = new Set<FollowingWatcher>();
  /** The moment that a table was read at. */
  readonly #revisions = new WeakMap<LeaseTable, number>();
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor({
    name,
    store,
    closeTimeoutMs = 5000,
    maxNodes = 20_000,
    maxBytes = 2 ** 26,
    maxRecordBytes = Number.POSITIVE_INFINITY,
    logger = silentLogger,
  }: NodeRegistryOptions) {
    super(`${name} registry`);
    this.#bounds = { maxNodes, maxBytes };
    this.#maxRecordBytes = maxRecordBytes;
    this.#logger = new RateLimitedLogger(logger);
    this.name = name;
    this.#store = store;
    this.#registrations = new NodeRegistrations(store);
    this.#closeTimeoutMs = closeTimeoutMs;
  }

  protected async put(record: ServiceRecord, options: RegisterOptions): Promise<void> {
    const most = this.#maxRecordBytes;
    if (Number.isFinite(most))
      for (const node of splitRecord(record))
        checkRecordBytes(record, Buffer.byteLength(recordToJson(node)), most, this.who);
    await this.#registrations.put(record, options.ttlMs, options);
    // What is there as it begins to close is taken away by that.
    this.lifetime.assertOpen();
  }

  protected remove(record: ServiceRecord, options: AbortOptions): Promise<void> {
    return this.#registrations.drop(record, options);
  }

  protected async look(name: string | undefined, options: AbortOptions): Promise<readonly ServiceRecord[]> {
    return (await this.#read(name, options)).list(name);
  }

  protected async follow(service: string | undefined, options: AbortOptions): Promise<Watcher> {
    const stop = () => this.#watchers.delete(watcher);
    const watcher: FollowingWatcher = new FollowingWatcher({ what: `${this.who}: watcher`, service, stop });
    this.#watchers.add(watcher);
    await watcher.load(async () => {
      await this.#store.follow(this.#hear, options);
      return this.#read(service, options, true);
    });
    return watcher;
  }

  /**
   * For its backend, whenever that can be reached again after an outage, and after changes were missed: puts back what
   * was lost, and watchers announce a `resync`. Tried until it succeeds.
   */
  async resume(): Promise<void> {
    clearTimeout(this.#retry);
    try {
      await this.#registrations.restore();
      for (const watcher of this.#watchers) await watcher.load(() => this.#read(watcher.service, {}, true));
    } catch {
      if (!this.lifetime.isOpen) return;
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => void this.resume(), retryMs);
      (this.#retry as { unref?(): void }).unref?.();
    }
  }

  /** A table that `lasts` forgets nodes as their leases end. */
  async #read(service: string | undefined, { signal }: AbortOptions, lasts = false): Promise<LeaseTable> {
    const { nodes, revision } = await this.#store.read(service, { signal });
    const onRefused = ({ name }: ServiceRecord) =>
      this.#logger.warn(`${this.who}: nodes left out, there are too many`, { service: name, ...this.#bounds });
    const table = new LeaseTable({ ...this.#bounds, onRefused });
    for (const { record, leftMs } of nodes) table.put(record, { ttlMs: lasts ? leftMs : undefined });
    if (revision !== undefined) this.#revisions.set(table, revision);
    return table;
  }

  readonly #hear = ({ type, record, ttlMs, revision = Number.POSITIVE_INFINITY }: NodeChange): void => {
    for (const watcher of this.#watchers) {
      if (watcher.service !== undefined && watcher.service !== record.name) continue;
      watcher.follow((table) => {
        // Older than what was read: made again it would undo what came after it.
        if (revision <= (this.#revisions.get(table) ?? -1)) return;
        if (type === 'put') table.put(record, { ttlMs });
        else table.remove(record);
      });
    }
  };

  protected async release(options: AbortOptions): Promise<void> {
    clearTimeout(this.#retry);
    try {
      await closeAll(this.#watchers, options);
      const leaving = this.#registrations.leave();
      await bounded(leaving, options, this.#closeTimeoutMs, `${this.who}: taking away what was registered`);
    } catch (error) {
      // During an outage the nodes go with their leases.
      if (!MicroError.is(error, 'unavailable')) throw error;
    } finally {
      this.#logger.end();
      await this.#store.close(options);
    }
  }
}
