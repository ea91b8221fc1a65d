import { type Logger, MicroError, type Registry, type ServiceRecord } from '@ts-micro/core';
import { abortable, Lifetime } from '@ts-micro/kit';
import { addressChanges, nodesOf, united } from './compare-records.ts';
import { followService, type ServiceFollower } from './follow-service.ts';
import { ServiceView } from './service-view.ts';

/** How often the registry is asked again about a service that no watcher follows. */
const verifyMs = 5_000;
/** How often a caller's evidence may make it ask. */
const refreshMs = 1_000;
/** The longest one question may take, whatever the registry's own bound is. */
const queryLimitMs = 15_000;
/** A service not looked up for so long is forgotten, and its watcher closed. */
const forgetMs = 10 * 60_000;

export interface RegistryCacheOptions {
  readonly registry: Registry;
  /** The name of the transport that nodes are called through. */
  readonly transport: string;
  readonly logger: Logger;
  /** Milliseconds on a clock that never jumps. */
  readonly now: () => number;
  /** Told of the address of every node that is new, changed, or confirmed after a gap. */
  readonly onNews?: ((address: string) => void) | undefined;
  /** Told of the address of every node that is gone. */
  readonly onGone?: ((address: string) => void) | undefined;
}

/** One service as it is known, and the lookup that finds out more. */
interface Entry {
  readonly service: string;
  readonly ending: AbortController;
  view: ServiceView | undefined;
  /** A watcher follows: `view` is as fresh as can be. */
  isLive: boolean;
  /** Counts the changes a watcher brought. */
  revision: number;
  askedAtMs: number;
  usedAtMs: number;
  first: Promise<void> | undefined;
  asking: Promise<void> | undefined;
  following: Promise<void> | undefined;
}

/**
 * Services by name, kept in memory by watching the registry.
 *
 * The first lookup of a name starts a watcher for it and takes the first usable answer; later ones touch no network.
 * While no watcher follows, what is known is kept, and asked about again every few seconds while it is in use.
 */
export class RegistryCache {
  readonly #options: RegistryCacheOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #lifetime: Lifetime = new Lifetime('registry cache', () => this.#release());
  readonly #limit: number;
  #sweeper: NodeJS.Timeout | undefined;

  /** Keeps at most `limit` services, the least recently used forgotten first. @default 10000 */
  constructor(options: RegistryCacheOptions, limit: number = 10_000) {
    this.#options = options;
    this.#limit = limit;
  }

  /** Returns what is known of a service that has nodes, without waiting. */
  peek(service: string, nowMs: number): ServiceView | undefined {
    const entry = this.#entries.get(service);
    const view = entry?.view;
    if (entry === undefined || view === undefined || !view.hasNodes) return undefined;
    entry.usedAtMs = nowMs;
    if (!entry.isLive && nowMs - entry.askedAtMs > verifyMs) void this.#ask(entry).catch(() => {});
    return view;
  }

  /**
   * Resolves with what is known of a service; asks the registry where that is nothing. Errors: `unavailable` where it
   * cannot be asked, `closed`.
   */
  async lookup(service: string): Promise<ServiceView> {
    this.#lifetime.assertOpen();
    const nowMs = this.#options.now();
    const known = this.peek(service, nowMs);
    if (known !== undefined) return known;
    const entry = this.#entries.get(service) ?? this.#open(service);
    entry.usedAtMs = nowMs;
    // "There is none" is not kept: a service that has just started must not be missed, and neither must one that
    // started after the question was asked which others wait for.
    const isLate = entry.first !== undefined;
    await this.#first(entry);
    if (isLate && !entry.view?.hasNodes) await this.#first(entry);
    return entry.view ?? this.#viewOf(service, [], true);
  }

  /** Resolves with what is known of a service after asking for every node of it. Errors: as `lookup`. */
  async complete(service: string): Promise<ServiceView> {
    this.#lifetime.assertOpen();
    const entry = this.#entries.get(service) ?? this.#open(service);
    if (!entry.view?.isComplete) await this.#ask(entry);
    return entry.view ?? this.#viewOf(service, [], true);
  }

  /** Asks about a service again because a node of it did not answer; at most once a second. Never rejects. */
  async refresh(service: string): Promise<void> {
    const entry = this.#entries.get(service);
    if (entry === undefined || !this.#lifetime.isOpen) return;
    if (entry.asking === undefined && this.#options.now() - entry.askedAtMs < refreshMs) return;
    // Why it failed was logged; what is known stays in use.
    await this.#ask(entry).catch(() => {});
  }

  /** Closes every watcher and ends every question. */
  close(): Promise<void> {
    return this.#lifetime.close();
  }

  #open(service: string): Entry {
    if (this.#entries.size >= this.#limit) this.#forgetLeastUsed();
    const entry: Entry = {
      service,
      ending: new AbortController(),
      view: undefined,
      isLive: false,
      revision: 0,
      askedAtMs: Number.NEGATIVE_INFINITY,
      usedAtMs: this.#options.now(),
      first: undefined,
      asking: undefined,
      following: undefined,
    };
    this.#entries.set(service, entry);
    const { registry, logger } = this.#options;
    if (registry.supports.watch)
      entry.following = followService(registry, service, this.#follower(entry), entry.ending.signal, logger);
    this.#sweeper ??= setInterval(() => this.#sweep(), forgetMs / 10).unref();
    return entry;
  }

  #first(entry: Entry): Promise<void> {
    entry.first ??= this.#askFirst(entry).finally(() => {
      entry.first = undefined;
    });
    return entry.first;
  }

  async #askFirst(entry: Entry): Promise<void> {
    const { revision } = entry;
    const records = await this.#query(entry, 1);
    if (entry.revision !== revision || entry.view?.hasNodes) return;
    // An empty answer is a complete one: the registry waited for as long as it does.
    this.#show(entry, records, records.length === 0);
    // Where no watcher brings the rest, it is asked for in the background.
    if (records.length > 0 && entry.following === undefined) void this.#ask(entry).catch(() => {});
  }

  #ask(entry: Entry): Promise<void> {
    entry.asking ??= this.#askAll(entry).finally(() => {
      entry.asking = undefined;
    });
    return entry.asking;
  }

  async #askAll(entry: Entry): Promise<void> {
    const { revision } = entry;
    const records = await this.#query(entry);
    // A change that a watcher brought meanwhile may be newer than the answer.
    if (entry.revision !== revision) return;
    // Where a watcher follows, the answer only adds. A node that was too slow to answer stays: the watcher, which
    // knows that it is there and unchanged, would never mention it again.
    this.#show(entry, entry.isLive ? united(entry.view?.records ?? [], records) : records, true);
  }

  async #query(entry: Entry, quorum?: number): Promise<readonly ServiceRecord[]> {
    const { registry, logger, now } = this.#options;
    const { service, ending } = entry;
    entry.askedAtMs = now();
    const limit = new AbortController();
    const end = () => limit.abort(ending.signal.reason);
    const timer = setTimeout(() => limit.abort(new DOMException('it took too long', 'TimeoutError')), queryLimitMs);
    timer.unref();
    ending.signal.addEventListener('abort', end, { once: true });
    try {
      const { signal } = limit;
      // Waited for no longer than the signal allows even where the registry does not heed it.
      const records = await abortable(registry.getService(service, { quorum, signal }), signal, registry.name);
      entry.askedAtMs = now();
      return records.filter(({ name }) => name === service);
    } catch (cause) {
      if (ending.signal.aborted) throw ending.signal.reason;
      const error = MicroError.from(cause, 'internal', registry.name);
      logger.debug('registry lookup failed', { service, error });
      const message = `client: looking up service "${service}": ${error.message}`;
      throw new MicroError(error.code, message, { cause, retrySafe: true });
    } finally {
      clearTimeout(timer);
      ending.signal.removeEventListener('abort', end);
    }
  }

  #follower(entry: Entry): ServiceFollower {
    const { onNews } = this.#options;
    return {
      onResync: (records) => {
        entry.isLive = true;
        entry.revision++;
        this.#show(entry, records, true);
        for (const { address } of nodesOf(records)) onNews?.(address);
      },
      onChange: (record, isGone) => {
        entry.revision++;
        const others = (entry.view?.records ?? []).filter(({ version }) => version !== record.version);
        this.#show(entry, isGone ? others : [...others, record], true);
      },
      onLost: () => {
        entry.isLive = false;
      },
    };
  }

  #show(entry: Entry, records: readonly ServiceRecord[], isComplete: boolean): void {
    const { onNews, onGone } = this.#options;
    const { news, gone } = addressChanges(entry.view?.records ?? [], records);
    entry.view = this.#viewOf(entry.service, records, isComplete);
    for (const address of news) onNews?.(address);
    for (const address of gone) onGone?.(address);
  }

  #viewOf(service: string, records: readonly ServiceRecord[], isComplete: boolean): ServiceView {
    return new ServiceView(service, records, isComplete, this.#options.transport);
  }

  #sweep(): void {
    const usedSinceMs = this.#options.now() - forgetMs;
    for (const entry of this.#entries.values()) if (entry.usedAtMs < usedSinceMs) this.#forget(entry);
  }

  #forgetLeastUsed(): void {
    let least: Entry | undefined;
    for (const entry of this.#entries.values()) if (!least || entry.usedAtMs < least.usedAtMs) least = entry;
    if (least) this.#forget(least);
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.service);
    entry.ending.abort(new MicroError('closed', `registry cache: service "${entry.service}" is forgotten`));
    for (const node of nodesOf(entry.view?.records ?? [])) this.#options.onGone?.(node.address);
  }

  async #release(): Promise<void> {
    clearInterval(this.#sweeper);
    const entries = [...this.#entries.values()];
    for (const entry of entries) this.#forget(entry);
    await Promise.all(entries.map((entry) => entry.following));
  }
}
