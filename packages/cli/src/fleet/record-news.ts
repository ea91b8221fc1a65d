import type { NodeRecord, RegistryEvent, ServiceRecord } from '@ts-micro/core';

/** One thing that a person wants to know of a registry. */
export interface RecordNews {
  readonly kind: 'is there' | 'joined' | 'left' | 'changed' | 'registered' | 'gone';
  readonly service: string;
  readonly version: string;
  /** Absent where it is about the version as a whole. */
  readonly node?: NodeRecord | undefined;
}

/** Tells what registry events mean, node by node. */
export class RecordHistory {
  readonly #known = new Map<string, ServiceRecord>();

  /** Returns the news of an event. After a gap these are what changed meanwhile. */
  newsOf(event: RegistryEvent): readonly RecordNews[] {
    if (event.type !== 'resync')
      return this.#change(event.service, event.type === 'delete' ? undefined : event.service);
    const isFirst = this.#known.size === 0;
    const present = new Set(event.services.map(keyOf));
    const gone = [...this.#known.values()].filter((record) => !present.has(keyOf(record)));
    const news = [
      ...gone.flatMap((record) => this.#change(record, undefined)),
      ...event.services.flatMap((record) => this.#change(record, record)),
    ];
    return isFirst ? news.map((each) => ({ ...each, kind: 'is there' as const })) : news;
  }

  #change(of: ServiceRecord, now: ServiceRecord | undefined): readonly RecordNews[] {
    const key = keyOf(of);
    const before = this.#known.get(key);
    if (now === undefined) this.#known.delete(key);
    else this.#known.set(key, now);
    const { name: service, version } = of;
    const told = (kind: RecordNews['kind'], node?: NodeRecord): RecordNews => ({ kind, service, version, node });
    const old = new Map(
      (now === undefined ? (before ?? of) : (before ?? { nodes: [] })).nodes.map((node) => [node.id, node]),
    );
    const nodes = new Map((now?.nodes ?? []).map((node) => [node.id, node]));
    const left = [...old.values()].filter(({ id }) => !nodes.has(id)).map((node) => told('left', node));
    const joined = [...nodes.values()].filter(({ id }) => !old.has(id)).map((node) => told('joined', node));
    const changed = [...nodes.values()]
      .filter((node) => old.has(node.id) && JSON.stringify(old.get(node.id)) !== JSON.stringify(node))
      .map((node) => told('changed', node));
    const all = [...left, ...joined, ...changed];
    if (all.length > 0) return all;
    if (now === undefined) return [told('gone')];
    if (before === undefined) return [told('registered')];
    return JSON.stringify(before) === JSON.stringify(now) ? [] : [told('changed')];
  }
}

function keyOf({ name, version }: ServiceRecord): string {
  return JSON.stringify([name, version]);
}
