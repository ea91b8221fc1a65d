import assert from 'node:assert/strict';
import { MicroError, type NodeRecord, type Registry, type Watcher } from '@ts-micro/core';
import fc from 'fast-check';
import { rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { assertRecords, lookUp, type RegistryContext } from '../registry/records.ts';
import { holdsForPrograms } from './holds-for-programs.ts';
import { RegistryBooks, View } from './registry-books.ts';

const registryCount = 3;
const versions = ['1', '2'];
// Much longer than a program runs: that leases run out is for other cases to see.
const longTtlMs = 600_000;

const anySlot = fc.nat({ max: registryCount - 1 });
const anyName = fc.nat({ max: 1 });
const anyVersion = fc.nat({ max: versions.length - 1 });
const someNodes = fc.constantFrom(['a'], ['b'], ['a', 'b']);
const place = { slot: anySlot, name: anyName, version: anyVersion, isAwaited: fc.boolean() };

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constant('register' as const),
      ...place,
      nodes: someNodes,
      zone: fc.nat({ max: 2 }),
      form: fc.option(fc.nat({ max: 2 }), { nil: undefined }),
      hasLease: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('register bare' as const), ...place }) },
  { weight: 5, arbitrary: fc.record({ does: fc.constant('deregister' as const), ...place, nodes: someNodes }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('look up' as const), slot: anySlot, name: anyName }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('watch' as const),
      slot: anySlot,
      name: fc.option(anyName, { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('unwatch' as const), pick: fc.nat({ max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('settle' as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('reopen' as const), slot: anySlot }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('refuse' as const), slot: anySlot }) },
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
type StepOf<D extends Step['does']> = Extract<Step, { readonly does: D }>;
type Place = Pick<StepOf<'register bare'>, 'slot' | 'name' | 'version' | 'isAwaited'>;

export const registryPrograms: readonly ContractCase<'registry'>[] = casesOf('registry', 'Registry', [
  {
    id: 'registry/any-program',
    title: 'any program of registering, deregistering and closing ends as it was made, for all who look and watch',
    runsPrograms: true,
    run: (context) =>
      holdsForPrograms(context, {
        step,
        run: (_, steps, say) => new RegistryProgram(context, say).run(steps),
      }),
  },
]);

interface Watching {
  readonly what: string;
  readonly slot: number;
  readonly watcher: Watcher;
  readonly names: readonly string[];
  readonly view: View;
  readonly following: Promise<void>;
}

class RegistryProgram {
  readonly #context: RegistryContext;
  readonly #say: (line: string) => void;
  readonly #names: readonly string[];
  readonly #books = new RegistryBooks();
  readonly #registries: Registry[] = [];
  /** What each registry has to do, one after the other; the registries work at once. */
  readonly #doing: Promise<void>[] = Array.from({ length: registryCount }, () => Promise.resolve());
  #watching: Watching[] = [];
  #watchers = 0;
  #isEnding = false;
  #fault: string | undefined;

  constructor(context: RegistryContext, say: (line: string) => void) {
    this.#context = context;
    this.#say = say;
    this.#names = [context.unique('x'), context.unique('y')];
  }

  async run(steps: readonly Step[]): Promise<void> {
    try {
      for (let slot = 0; slot < registryCount; slot++) this.#registries.push(await this.#context.open());
      for (const step of steps) {
        await this.#take(step);
        this.#check();
      }
      await this.#settle();
    } finally {
      this.#isEnding = true;
      const closing = Promise.allSettled(this.#registries.map((registry) => registry.close()));
      await this.#context.within(closing, 'closing the registries of a program');
      await this.#context.within(Promise.all(this.#watching.map(({ following }) => following)), 'the end of watchers');
      this.#check();
    }
  }

  async #take(step: Step): Promise<void> {
    switch (step.does) {
      case 'register':
        return this.#onRegister(step);
      case 'register bare':
        return this.#onRegisterBare(step);
      case 'deregister':
        return this.#onDeregister(step);
      case 'look up':
        return this.#onLookUp(step);
      case 'watch':
        return this.#onWatch(step);
      case 'unwatch':
        return this.#onUnwatch(step);
      case 'settle':
        this.#say('everybody knows everything');
        return this.#settle();
      case 'reopen':
        return this.#onReopen(step.slot);
      case 'refuse':
        return this.#onRefuse(step.slot);
    }
  }

  async #onRegister({ nodes, zone, hasLease, ...given }: StepOf<'register'>): Promise<void> {
    const { slot, version, name } = this.#placeOf(given);
    const known = this.#books.version(name, version);
    // A version without nodes is its registry's alone.
    if (known?.bare !== undefined && known.bare !== slot) return;
    // Whose parts a version has that was registered with several is nobody's promise: all its nodes have the same.
    const ids = nodes.map((letter) => `${letter}-${slot}`);
    const isWhole = [...(known?.nodes.keys() ?? [])].every((id) => ids.includes(id));
    const form = isWhole ? (given.form ?? known?.form ?? 0) : (known?.form ?? 0);
    // Nor in which order several at once change them: then nothing else is under way.
    const isAlone = form !== known?.form;
    const step = { ...given, isAwaited: given.isAwaited || isAlone };
    if (isAlone) await this.#everythingDone();
    const made = nodes.map((letter): NodeRecord => {
      const metadata: Record<string, string> = { protocol: 'mucp' };
      if (zone > 0) metadata.zone = `${zone} žluť`;
      return { id: `${letter}-${slot}`, address: `address-${letter}-${zone}`, metadata };
    });
    const lease = hasLease && this.#context.supports.ttl ? { ttlMs: longTtlMs } : {};
    this.#say(
      `${this.#tell(step)} registers ${ids.join(', ')}, zone ${zone}, form ${form}${'ttlMs' in lease ? ', with a lease' : ''}`,
    );
    const record = this.#books.register(slot, name, version, form, made);
    await this.#do(step, 'registering', (registry) => registry.register(record, lease));
  }

  /** Nothing else is under way then: what it does to a version depends on whether that has nodes. */
  async #onRegisterBare(inPassing: StepOf<'register bare'>): Promise<void> {
    const step = { ...inPassing, isAwaited: true };
    await this.#everythingDone();
    const { slot, version, name } = this.#placeOf(step);
    const known = this.#books.version(name, version);
    if (known && (known.nodes.size > 0 || known.bare !== slot)) return;
    this.#say(`${this.#tell(step)} registers no node`);
    const record = this.#books.register(slot, name, version, known?.form ?? 0, []);
    await this.#do(step, 'registering', (registry) => registry.register(record));
  }

  async #onDeregister({ nodes, isAwaited, ...rest }: StepOf<'deregister'>): Promise<void> {
    const { slot, version, name } = this.#placeOf(rest);
    const known = this.#books.version(name, version);
    const ids = known?.bare === slot ? [] : nodes.map((letter) => `${letter}-${slot}`);
    const step = { ...rest, isAwaited: isAwaited || ids.length === 0 };
    if (known?.bare !== undefined && known.bare !== slot) return;
    this.#say(`${this.#tell(step)} deregisters ${ids.join(', ') || 'the version without nodes'}`);
    if (ids.length === 0) await this.#everythingDone();
    const gone = ids.map((id) => ({ id, address: 'anywhere', metadata: {} }));
    this.#books.deregister(slot, name, version, ids);
    const record = { name, version, metadata: {}, endpoints: [], nodes: gone };
    await this.#do(step, 'deregistering', (registry) => registry.deregister(record));
  }

  async #onLookUp({ slot, name: index }: StepOf<'look up'>): Promise<void> {
    const name = this.#names[index] ?? '';
    this.#say(`registry ${slot} looks up service ${index}`);
    this.#books.assertPossible(await lookUp(this.#context, this.#registry(slot), name), name);
  }

  async #onWatch({ slot, name }: StepOf<'watch'>): Promise<void> {
    if (!this.#context.supports.watch) return;
    const what = `watcher ${++this.#watchers}`;
    const service = name === undefined ? undefined : this.#names[name];
    this.#say(`registry ${slot} watches ${name === undefined ? 'everything' : `service ${name}`}: ${what}`);
    const names = service === undefined ? this.#names : [service];
    const view = new View(this.#books, names);
    const watcher = await this.#context.within(this.#registry(slot).watch({ service }), 'watch');
    this.#watching.push({ what, slot, watcher, names, view, following: this.#follow(what, watcher, view) });
  }

  async #follow(what: string, watcher: Watcher, view: View): Promise<void> {
    try {
      for (let isFirst = true; ; isFirst = false) {
        const event = await watcher.receive();
        if (event === undefined) return;
        assert.equal(isFirst ? event.type : 'resync', 'resync', 'the first event');
        view.take(event);
      }
    } catch (error) {
      // Told to close between two waits, it refuses the next; and what closes at the end is in no book.
      if (this.#isEnding || (MicroError.is(error, 'closed') && !this.#isWatching(watcher))) return;
      this.#fault ??= `${what}: ${(error as Error).message}`;
    }
  }

  #isWatching(watcher: Watcher): boolean {
    return this.#watching.some((each) => each.watcher === watcher);
  }

  async #onUnwatch({ pick }: StepOf<'unwatch'>): Promise<void> {
    const chosen = this.#watching[pick % this.#watching.length];
    if (chosen === undefined) return;
    this.#say(`${chosen.what} closes`);
    this.#watching = this.#watching.filter((each) => each !== chosen);
    await this.#context.within(chosen.watcher.close(), `closing ${chosen.what}`);
    await this.#context.within(chosen.following, `the end of ${chosen.what}`);
  }

  async #onReopen(slot: number): Promise<void> {
    this.#say(`registry ${slot} closes, and another takes its place`);
    await this.#everythingDone();
    this.#books.leave(slot);
    const ended = this.#watching.filter((each) => each.slot === slot);
    this.#watching = this.#watching.filter((each) => each.slot !== slot);
    await this.#context.within(this.#registry(slot).close(), `closing registry ${slot}`);
    for (const { what, following } of ended)
      await this.#context.within(following, `the end of ${what} with its registry`);
    this.#registries[slot] = await this.#context.open();
  }

  async #onRefuse(slot: number): Promise<void> {
    this.#say(`registry ${slot} is given what it must refuse`);
    const [name = ''] = this.#names;
    const node = { id: 'nobody has this', address: 'nowhere', metadata: {} };
    const record = { name, version: 'none', metadata: {}, endpoints: [], nodes: [node] };
    const registry = this.#registry(slot);
    const aborted = registry.register(record, { signal: AbortSignal.abort() });
    await rejection(this.#context.within(aborted, 'register'), 'a register aborted before', 'canceled');
    const nameless = registry.register({ ...record, name: '' });
    await rejection(this.#context.within(nameless, 'register'), 'a record without a name', 'invalid');
  }

  /** Waits until all who look and watch know what was made. */
  async #settle(): Promise<void> {
    await this.#everythingDone();
    await this.#context.eventually('everybody to know everything', async () => {
      this.#check();
      await Promise.all(this.#registries.flatMap((_, slot) => this.#names.map((name) => this.#seesAll(slot, name))));
      for (const { what, view, names } of this.#watching)
        assertRecords(
          view.records,
          names.flatMap((name) => this.#books.records(name)),
          `what ${what} knows`,
        );
    });
    this.#check();
    this.#books.settle();
  }

  async #seesAll(slot: number, name: string): Promise<void> {
    const records = await lookUp(this.#context, this.#registry(slot), name);
    assertRecords(
      records,
      this.#books.records(name),
      `what registry ${slot} knows of service ${this.#names.indexOf(name)}`,
    );
  }

  async #do(step: Place, what: string, work: (registry: Registry) => Promise<void>): Promise<void> {
    const before = this.#doing[step.slot] ?? Promise.resolve();
    const doing = before.then(() =>
      this.#context.within(work(this.#registry(step.slot)), `${this.#tell(step)} ${what}`),
    );
    doing.catch(() => {});
    this.#doing[step.slot] = doing;
    if (step.isAwaited) await doing;
  }

  async #everythingDone(): Promise<void> {
    await Promise.all(this.#doing);
  }

  #check(): void {
    if (this.#fault !== undefined) throw new Error(this.#fault);
  }

  #placeOf({ slot, name, version }: Omit<Place, 'isAwaited'>): { slot: number; name: string; version: string } {
    return { slot, name: this.#names[name] ?? '', version: versions[version] ?? '' };
  }

  #tell({ slot, name, version, isAwaited }: Place): string {
    return `registry ${slot}, service ${name}, version ${versions[version]}${isAwaited ? '' : ' (not awaited)'}:`;
  }

  #registry(slot: number): Registry {
    const registry = this.#registries[slot];
    assert.ok(registry);
    return registry;
  }
}
