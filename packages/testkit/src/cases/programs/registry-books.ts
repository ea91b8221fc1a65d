import assert from 'node:assert/strict';
import { type NodeRecord, type RegistryEvent, type ServiceRecord, serviceRecord } from '@ts-micro/core';

/** One version of a service, as those who registered it made it. */
interface Version {
  readonly name: string;
  readonly version: string;
  /** Which of the forms its metadata and endpoints have. */
  form: number;
  readonly nodes: Map<string, { readonly slot: number; readonly node: NodeRecord }>;
  /** Who registered it without nodes, until it gets some. */
  bare: number | undefined;
}

/** The states of one thing, oldest first; `since` is the oldest that may still be seen. */
interface History {
  readonly states: string[];
  since: number;
}

const gone = 'gone';

/** The metadata and endpoints of a version in one of its forms. */
function partsOf(form: number): Pick<ServiceRecord, 'metadata' | 'endpoints'> {
  const endpoint = { name: 'Greeter.Hello', metadata: { form: String(form) } };
  const { metadata, endpoints } = serviceRecord({
    name: 'any',
    metadata: form === 0 ? {} : { form: String(form), unicode: 'žluť 鯨' },
    endpoints: form === 0 ? [] : [endpoint],
  });
  return { metadata, endpoints };
}

/** What registries must know: the model of their contract. A node belongs to one registry for as long as it lives. */
export class RegistryBooks {
  readonly #versions = new Map<string, Version>();
  readonly #histories = new Map<string, History>();

  /** Every record as it must be in the end. */
  records(name: string): ServiceRecord[] {
    return [...this.#versions.values()].filter((version) => version.name === name).map(recordOf);
  }

  /** What is known of a version. */
  version(name: string, version: string): Version | undefined {
    return this.#versions.get(keyOf(name, version));
  }

  /** Notes a registration as it is made. Returns the record to register. */
  register(slot: number, name: string, version: string, form: number, nodes: readonly NodeRecord[]): ServiceRecord {
    const key = keyOf(name, version);
    const known = this.#versions.get(key) ?? { name, version, form, nodes: new Map(), bare: undefined };
    this.#versions.set(key, known);
    known.form = form;
    known.bare = nodes.length === 0 ? slot : undefined;
    for (const node of nodes) known.nodes.set(node.id, { slot, node });
    this.#note(known);
    return { name, version, ...partsOf(form), nodes };
  }

  /** Notes that nodes of a version are taken away, or the version that has none. */
  deregister(slot: number, name: string, version: string, ids: readonly string[]): void {
    const known = this.version(name, version);
    if (known === undefined) return;
    for (const id of ids) if (known.nodes.get(id)?.slot === slot) known.nodes.delete(id);
    if (ids.length === 0 && known.bare === slot) known.bare = undefined;
    this.#note(known);
  }

  /** Notes that a registry closes. */
  leave(slot: number): void {
    for (const { name, version, nodes } of [...this.#versions.values()]) {
      const ids = [...nodes.values()].filter((each) => each.slot === slot).map(({ node }) => node.id);
      this.deregister(slot, name, version, ids);
      if (ids.length > 0) this.deregister(slot, name, version, []);
    }
  }

  /** Notes that everybody knows everything: nobody may be told what was before. */
  settle(): void {
    for (const history of this.#histories.values()) history.since = history.states.length - 1;
  }

  /** Fails unless each part of these records was so at some time since everything was settled. */
  assertPossible(records: readonly ServiceRecord[], name: string): void {
    const others = records.filter((record) => record.name !== name);
    assert.equal(others.length, 0, `looking up ${name} gave records of ${others[0]?.name}`);
    new View(this, [name]).replace(records);
  }

  /** What may be seen of one thing, for those who follow it. */
  history(key: string): History {
    let history = this.#histories.get(key);
    if (history === undefined) {
      history = { states: [gone], since: 0 };
      this.#histories.set(key, history);
    }
    return history;
  }

  /** The names of everything that was ever seen. */
  get keys(): readonly string[] {
    return [...this.#histories.keys()];
  }

  #note(known: Version): void {
    const key = keyOf(known.name, known.version);
    const states = statesOf(recordOf(known));
    const isThere = known.nodes.size > 0 || known.bare !== undefined;
    if (!isThere) this.#versions.delete(key);
    for (const part of states.keys()) this.history(part);
    for (const [part, { states: history }] of this.#histories) {
      if (!part.startsWith(`${key} `)) continue;
      const state = isThere ? (states.get(part) ?? gone) : gone;
      if (history.at(-1) !== state) history.push(state);
    }
  }
}

/** What one who looks knows, and from when: it may be late, and skip, but not go back. */
export class View {
  readonly #books: RegistryBooks;
  readonly #names: readonly string[];
  readonly #records = new Map<string, ServiceRecord>();
  readonly #seen = new Map<string, number>();

  /** Only these services are looked at. */
  constructor(books: RegistryBooks, names: readonly string[]) {
    this.#books = books;
    this.#names = names;
    for (const key of books.keys) this.#seen.set(key, books.history(key).since);
  }

  get records(): readonly ServiceRecord[] {
    return [...this.#records.values()];
  }

  /** Takes an event of a watcher. */
  take(event: RegistryEvent): void {
    if (event.type === 'resync') this.replace(event.services.filter(({ name }) => this.#names.includes(name)));
    else if (this.#names.includes(event.service.name)) this.#change(event.type, event.service);
  }

  #change(type: 'create' | 'update' | 'delete', service: ServiceRecord): void {
    const key = keyOf(service.name, service.version);
    const what = `the ${type} of version ${service.version}`;
    const known = this.#records.get(key);
    if (type === 'create') assert.equal(known, undefined, `${what}, which is known`);
    else assert.ok(known, `${what}, which is not known`);
    if (type === 'update')
      assert.notDeepEqual(
        [...statesOf(service)].sort(),
        [...statesOf(known as ServiceRecord)].sort(),
        `${what}: the same`,
      );
    if (type === 'delete') this.#records.delete(key);
    else this.#records.set(key, service);
    this.#see(key, type === 'delete' ? undefined : service, what);
  }

  /** Takes records in place of all that it knew. */
  replace(records: readonly ServiceRecord[]): void {
    const keys = records.map(({ name, version }) => keyOf(name, version));
    assert.equal(new Set(keys).size, keys.length, 'a version is there twice');
    this.#records.clear();
    for (const [index, record] of records.entries()) this.#records.set(keys[index] ?? '', record);
    const ever = this.#books.keys.map((part) => part.slice(0, part.lastIndexOf(' ')));
    for (const key of new Set([...keys, ...ever]))
      if (this.#names.includes(key.slice(0, key.lastIndexOf('@'))))
        this.#see(key, this.#records.get(key), 'what is known');
  }

  #see(key: string, record: ServiceRecord | undefined, what: string): void {
    const states = record ? statesOf(record) : new Map<string, string>();
    if (record) {
      const ids = record.nodes.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length, `${what}: a node is there twice`);
    }
    for (const part of states.keys()) assert.ok(this.#books.keys.includes(part), `${what}: nobody made ${part}`);
    for (const part of this.#books.keys.filter((each) => each.startsWith(`${key} `))) {
      const state = states.get(part) ?? gone;
      const from = this.#seen.get(part) ?? 0;
      const { states: history } = this.#books.history(part);
      const at = history.findIndex((each, index) => index >= from && each === state);
      assert.notEqual(at, -1, `${what}: ${part.slice(key.length + 1)} of ${key} is ${state}, after ${history[from]}`);
      this.#seen.set(part, at);
    }
  }
}

function recordOf({ name, version, form, nodes }: Version): ServiceRecord {
  return { name, version, ...partsOf(form), nodes: [...nodes.values()].map(({ node }) => node) };
}

/** A record as its parts, each with its state. */
function statesOf({ name, version, metadata, endpoints, nodes }: ServiceRecord): Map<string, string> {
  const key = keyOf(name, version);
  const parts = endpoints.map((endpoint) => [endpoint.name, sorted(endpoint.metadata)]);
  const states = new Map([[`${key} metadata`, JSON.stringify([sorted(metadata), parts])]]);
  for (const { id, address, metadata } of nodes)
    states.set(`${key} ${id}`, JSON.stringify([address, sorted(metadata)]));
  return states;
}

function sorted(metadata: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
}

function keyOf(name: string, version: string): string {
  return `${name}@${version}`;
}
