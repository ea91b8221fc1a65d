import type { Closable } from '@ts-micro/core';
import type { Faults, Harness, InterfaceName, Interfaces, Programs, Timing, TransportSettings } from './backend.ts';
import { Inbox } from './inbox.ts';
import { randomId } from './random-id.ts';
import { record } from './record.ts';
import { type ProgramSettings, programSettings } from './run/program-settings.ts';
import type { Trace } from './trace.ts';
import { eventually, until, within } from './within.ts';

const boundMs = 10_000;

type CaseSettings = TransportSettings & { readonly programs?: Programs | undefined };

/** The means of a case. Whatever it opens is closed after it. */
export class CaseContext<I extends InterfaceName> {
  readonly settings: TransportSettings;
  readonly programs: ProgramSettings;
  /** Resolves as the case ends: a handler that has to stay open until then waits for it. */
  readonly ended: Promise<void>;
  readonly #interface: I;
  readonly #harness: Harness<I>;
  readonly #timing: Timing;
  readonly #trace: Trace;
  readonly #instances: Interfaces[I][] = [];
  readonly #id = randomId();
  #names = 0;
  #spare: Interfaces[I] | undefined;
  #supports: Interfaces[I]['supports'] | undefined;
  #end: () => void = () => {};
  #haste = 1;

  constructor(
    interfaceName: I,
    harness: Harness<I>,
    { timing = {}, settings = {}, trace }: { timing?: Timing; settings?: CaseSettings; trace: Trace },
  ) {
    this.#interface = interfaceName;
    this.#harness = harness;
    this.#timing = timing;
    this.#trace = trace;
    this.settings = settings;
    this.programs = programSettings(settings.programs);
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Opens the first instance, to learn what the backend supports; `open` hands it out first. */
  async prepare(): Promise<void> {
    this.#spare = await this.open();
  }

  /** The features that the backend says it has; every instance says the same. */
  get supports(): Interfaces[I]['supports'] {
    if (this.#supports === undefined) throw new Error('no instance is open yet');
    return this.#supports;
  }

  get faults(): Faults {
    if (this.#harness.faults === undefined) throw new Error('no faults given');
    return this.#harness.faults;
  }

  get hasFaults(): boolean {
    return this.#harness.faults !== undefined;
  }

  get hasInject(): boolean {
    return this.#harness.inject !== undefined;
  }

  /** The hooks that a case needs; one that is not given is an error of the kit, for the case is not run then. */
  get hooks(): Required<Pick<Harness<I>, 'loseData' | 'inject'>> & { readonly halfOpen: () => Promise<void> } {
    const harness = this.#harness;
    const given = <T>(hook: T | undefined, name: string): T => {
      if (hook === undefined) throw new Error(`no ${name} given`);
      return hook;
    };
    return {
      loseData: () => this.within(given(harness.loseData?.(), 'loseData'), 'loseData()'),
      inject: (bytes, place) => this.within(given(harness.inject?.(bytes, place), 'inject'), 'inject()'),
      halfOpen: () => this.within(given(harness.faults?.halfOpen?.(), 'halfOpen'), 'faults.halfOpen()'),
    };
  }

  get ttlStepMs(): number {
    return this.#timing.ttlStepMs ?? 1;
  }

  /** Opens one more instance. */
  async open(): Promise<Interfaces[I]> {
    const spare = this.#spare;
    if (spare) {
      this.#spare = undefined;
      return spare;
    }
    const instance = await this.within(Promise.resolve(this.#harness.open()), `opening a ${this.#interface}`);
    const recorded = this.#take(instance);
    this.#supports ??= { ...instance.supports };
    const was = JSON.stringify(this.#supports);
    const now = JSON.stringify(instance.supports);
    if (was !== now) throw new Error(`two instances do not say the same of what they support: ${was} and ${now}`);
    return recorded;
  }

  /** Opens one whose credentials the server refuses. */
  async openRefused(): Promise<Interfaces[I]> {
    const opening = Promise.resolve(this.#harness.badCredentials?.());
    const instance = await this.within(opening, `opening a ${this.#interface} with bad credentials`);
    if (instance === undefined) throw new Error('no badCredentials given');
    return this.#take(instance);
  }

  #take(instance: Interfaces[I]): Interfaces[I] {
    this.#instances.push(instance);
    return record(instance as Closable, `${this.#interface}${this.#instances.length}`, this.#trace) as Interfaces[I];
  }

  /** A name that nobody else uses, of letters, digits and hyphens. */
  unique(label: string): string {
    this.#names++;
    return `${label}-${this.#id}-${this.#names}`;
  }

  /** `ms` milliseconds, or as much longer as this backend is given. */
  ms(ms: number): number {
    return Math.ceil(ms * (this.#timing.factor ?? 1) * this.#haste);
  }

  /** Has every wait from now on be this share of what it is. */
  hurry(share: number): void {
    this.#haste = share;
  }

  /** Has the report of a failure begin with what comes now. */
  restartTrace(): void {
    this.#trace.restart();
  }

  /** A signal that aborts with a `TimeoutError` after `ms` milliseconds, or as much later as this backend is given. */
  deadline(ms: number): AbortSignal {
    return AbortSignal.timeout(this.ms(ms));
  }

  /** One of a call that cannot end before it: there is nothing for which a slow backend would need longer. */
  expiring(ms: number): AbortSignal {
    return AbortSignal.timeout(ms);
  }

  /**
   * Waits for what has to come, at most `ms` or the usual bound. The result may be awaited later: it counts as heard
   * from now on.
   */
  within<T>(promise: Promise<T>, what: string, ms: number = boundMs): Promise<T> {
    return this.later(within(promise, what, this.ms(ms)));
  }

  /** The same promise, to await later: should it reject before that, it counts as heard. */
  later<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => {});
    return promise;
  }

  /** Tries until nothing is thrown, at most `ms` or the usual bound. */
  eventually(what: string, attempt: () => void | Promise<void>, ms: number = this.ms(boundMs)): Promise<void> {
    return eventually(what, attempt, ms);
  }

  /** Asks until the answer is true, at most `ms` or the usual bound; what `check` throws is final. */
  until(what: string, check: () => boolean | Promise<boolean>, ms: number = this.ms(boundMs)): Promise<void> {
    return until(what, check, ms);
  }

  inbox<T>(what: string): Inbox<T> {
    return new Inbox<T>(what, this.ms(boundMs));
  }

  /** Lets go of handlers, then closes every instance. */
  async end(): Promise<void> {
    this.#end();
    const closing = this.#instances.map((instance, index) =>
      this.within(instance.close(), `closing ${this.#interface}${index + 1} after the case`),
    );
    const failed = (await Promise.allSettled(closing)).find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }
}
