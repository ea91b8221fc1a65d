import type {
  AbortOptions,
  LookupOptions,
  RegisterOptions,
  Registry,
  RegistryFeatures,
  ServiceRecord,
  Watcher,
  WatchOptions,
} from '@ts-micro/core';
import { ClosableBase } from '../lifecycle/closable-base.ts';
import { checkRecord, checkServiceName, checkTtl } from './registry-rules.ts';

/**
 * A {@link Registry} that checks its state and what it is given, and leaves the rest to its backend: what reaches that
 * is valid, and a private copy.
 */
export abstract class RegistryBase extends ClosableBase implements Registry {
  abstract readonly name: string;
  readonly supports: RegistryFeatures = Object.freeze({ ttl: true, watch: true });
  protected readonly who: string;

  /** `who` begins the message of every error: `redis registry`. */
  constructor(who: string) {
    super(who);
    this.who = who;
  }

  protected abstract put(record: ServiceRecord, options: RegisterOptions): Promise<unknown>;

  protected abstract remove(record: ServiceRecord, options: AbortOptions): Promise<unknown>;

  /** Returns the records of one service, or of all. */
  protected abstract look(name: string | undefined, options: LookupOptions): Promise<readonly ServiceRecord[]>;

  /** Returns a watcher of one service, or of all. */
  protected abstract follow(name: string | undefined, options: AbortOptions): Promise<Watcher>;

  async register(service: ServiceRecord, options: RegisterOptions = {}): Promise<void> {
    this.lifetime.assertOpen(options);
    const record = checkRecord(service, this.who);
    checkTtl(options.ttlMs, this.who);
    await this.put(record, options);
  }

  async deregister(service: ServiceRecord, options: AbortOptions = {}): Promise<void> {
    this.lifetime.assertOpen(options);
    await this.remove(checkRecord(service, this.who), options);
  }

  async getService(name: string, options: LookupOptions = {}): Promise<readonly ServiceRecord[]> {
    this.lifetime.assertOpen(options);
    checkServiceName(name, this.who);
    return await this.look(name, options);
  }

  async listServices(options: AbortOptions = {}): Promise<readonly ServiceRecord[]> {
    this.lifetime.assertOpen(options);
    return await this.look(undefined, options);
  }

  async watch(options: WatchOptions = {}): Promise<Watcher> {
    this.lifetime.assertOpen(options);
    const { service } = options;
    if (service !== undefined) checkServiceName(service, this.who);
    return await this.follow(service, options);
  }
}
