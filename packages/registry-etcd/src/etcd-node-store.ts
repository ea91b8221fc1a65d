import { type AbortOptions, MicroError, type ServiceRecord } from '@ts-micro/core';
import { type NodeChange, type NodeStore, type NodesHeld, recordToJson, splitRecord } from '@ts-micro/kit';
import type { EtcdClient } from './etcd-client.ts';
import type { EtcdFeed } from './etcd-feed.ts';
import { base64, folderOf, isSameNode, type KeyValue, keyOf, ownKeyOf, rangeOf, recordOf } from './etcd-keys.ts';
import { type EtcdSettings, who } from './etcd-registry-options.ts';

/** What this instance put last for a node. */
interface Own {
  readonly key: string;
  readonly text: string;
  readonly ttlMs: number | undefined;
  readonly lease: string;
  /** Of the put: the key has it for as long as nobody else has put it. */
  readonly revision: string;
}

/** Where a node goes, and the compare that holds where nobody else has taken that place. */
interface Place {
  readonly record: ServiceRecord;
  readonly key: string;
  readonly compare: readonly object[];
}

interface Txn {
  readonly header: { readonly revision: string };
  readonly succeeded?: boolean;
  readonly responses?: readonly { readonly response_range?: { readonly kvs?: readonly KeyValue[] } }[];
}

// etcd refuses a transaction of more than 128 operations.
const mostNodes = 100;
const mostTries = 10;

/** Nodes as keys of etcd in Go Micro's layout, each with a lease of etcd's own. */
export class EtcdNodeStore implements NodeStore {
  readonly #client: EtcdClient;
  readonly #feed: EtcdFeed;
  readonly #prefix: string;
  readonly #settings: EtcdSettings;
  /** By the key that is only the node's. */
  readonly #own = new Map<string, Own>();

  constructor(client: EtcdClient, feed: EtcdFeed, settings: EtcdSettings) {
    this.#client = client;
    this.#feed = feed;
    this.#prefix = settings.prefix;
    this.#settings = settings;
  }

  async read(service: string | undefined, options: AbortOptions): Promise<NodesHeld> {
    const prefix = service === undefined ? this.#prefix : folderOf(this.#prefix, service);
    // Of too many those that changed last are left out: it is they that were written for that.
    const range = { ...rangeOf(prefix), sort_order: 'ASCEND', sort_target: 'MOD', limit: this.#settings.maxNodes };
    const held = await this.#client.call<Txn & { kvs?: readonly KeyValue[] }>('kv/range', range, options);
    const records = (held.kvs ?? []).flatMap((kv) => recordOf(kv, this.#settings.maxRecordBytes) ?? []);
    return { nodes: records.map((record) => ({ record })), revision: Number(held.header.revision) };
  }

  async put(record: ServiceRecord, ttlMs: number | undefined, options: AbortOptions): Promise<void> {
    // Of nodes with one id the last counts.
    const byKey = new Map(splitRecord(record).map((node) => [ownKeyOf(this.#prefix, node), node]));
    const nodes = [...byKey.values()];
    await this.#feed.start(options);
    if (await this.#renew(nodes, ttlMs, options)) return;
    // etcd counts leases in seconds, and lengthens what is shorter than an election takes.
    const grant = { TTL: Math.ceil((ttlMs ?? 0) / 1000) };
    const { ID: lease } = ttlMs ? await this.#client.call<{ ID: string }>('lease/grant', grant, options) : { ID: '0' };
    for (let at = 0; at < nodes.length; at += mostNodes) {
      await this.#putSome(nodes.slice(at, at + mostNodes), ttlMs, lease, options);
    }
  }

  async remove(record: ServiceRecord, options: AbortOptions): Promise<void> {
    const nodes = splitRecord(record);
    for (let at = 0; at < nodes.length; at += mostNodes / 2) {
      const some = nodes.slice(at, at + mostNodes / 2);
      const places = await this.#places(some, options);
      for (const node of some) this.#own.delete(ownKeyOf(this.#prefix, node));
      const keys = new Set([...places.map(({ key }) => key), ...some.map((node) => ownKeyOf(this.#prefix, node))]);
      await this.#client.call('kv/txn', { success: Array.from(keys, removal) }, options);
    }
  }

  async removeOwn(records: readonly ServiceRecord[], options: AbortOptions): Promise<void> {
    const owned = records.flatMap((record) => this.#own.get(ownKeyOf(this.#prefix, record)) ?? []);
    const remove = (own: Own) => ({ compare: [unchanged(own)], success: [removal(own.key)] });
    await Promise.all(owned.map((own) => this.#client.call('kv/txn', remove(own), options)));
  }

  follow(listener: (change: NodeChange) => void, options: AbortOptions): Promise<unknown> {
    this.#feed.onChange = listener;
    return this.#feed.start(options);
  }

  async close(): Promise<void> {
    await this.#feed.close();
    this.#client.close();
  }

  /** Whether these are there as this instance put them, and go on as long. */
  async #renew(nodes: readonly ServiceRecord[], ttlMs: number | undefined, options: AbortOptions): Promise<boolean> {
    const own = nodes.flatMap((node) => {
      const known = this.#own.get(ownKeyOf(this.#prefix, node));
      return known?.ttlMs === ttlMs && known?.text === recordToJson(node) ? known : [];
    });
    if (own.length < nodes.length || own.length > mostNodes) return false;
    // The leases first: what they hold after that is there for as long.
    for (const lease of new Set(own.map((one) => one.lease))) {
      if (lease === '0') continue;
      const { result } = await this.#client.call<{ result?: { TTL?: string } }>(
        'lease/keepalive',
        { ID: lease },
        options,
      );
      if (Number(result?.TTL ?? 0) <= 0) return false;
    }
    return (await this.#client.call<Txn>('kv/txn', { compare: own.map(unchanged) }, options)).succeeded === true;
  }

  async #putSome(
    nodes: readonly ServiceRecord[],
    ttlMs: number | undefined,
    lease: string,
    options: AbortOptions,
  ): Promise<void> {
    for (let tries = 1; ; tries++) {
      const places = await this.#places(nodes, options);
      const puts = places.map(({ record, key }) => ({
        request_put: { key: base64(key), value: base64(recordToJson(record)), lease },
      }));
      const [first] = nodes;
      // With nodes, a version no longer stands for itself.
      const ends = first?.nodes.length ? [removal(ownKeyOf(this.#prefix, { ...first, nodes: [] }))] : [];
      const question = { compare: places.flatMap(({ compare }) => compare), success: [...puts, ...ends] };
      const { header, succeeded } = await this.#client.call<Txn>('kv/txn', question, options);
      if (succeeded) {
        for (const { record, key } of places) {
          const own = { key, text: recordToJson(record), ttlMs, lease, revision: header.revision };
          this.#own.set(ownKeyOf(this.#prefix, record), own);
        }
        return;
      }
      if (tries === mostTries) throw new MicroError('conflict', `${who}: others take the keys of "${first?.name}"`);
    }
  }

  /** Its place in Go Micro's layout for each node, or a place of its own where another node is there. */
  async #places(nodes: readonly ServiceRecord[], options: AbortOptions): Promise<readonly Place[]> {
    const ranges = nodes.map((record) => ({ request_range: { key: base64(keyOf(this.#prefix, record)) } }));
    const { responses = [] } = await this.#client.call<Txn>('kv/txn', { success: ranges }, options);
    const taken = new Set<string>();
    return nodes.map((record, index) => {
      const kv = responses[index]?.response_range?.kvs?.[0];
      const there = kv && recordOf(kv, this.#settings.maxRecordBytes);
      const [key, ownKey] = [keyOf(this.#prefix, record), ownKeyOf(this.#prefix, record)];
      const isOthers = taken.has(key) || (kv !== undefined && !(there && isSameNode(there, record)));
      const isOwn = this.#own.get(ownKey)?.key === ownKey;
      if (isOthers || isOwn || record.nodes.length === 0) return { record, key: ownKey, compare: [] };
      taken.add(key);
      const create_revision = kv?.create_revision ?? '0';
      return { record, key, compare: [{ key: base64(key), target: 'CREATE', result: 'EQUAL', create_revision }] };
    });
  }
}

function unchanged({ key, revision }: Own): object {
  return { key: base64(key), target: 'MOD', result: 'EQUAL', mod_revision: revision };
}

function removal(key: string): object {
  return { request_delete_range: { key: base64(key) } };
}
