import { MicroError } from '@ts-micro/core';
import { nearest } from './nearest.ts';
import { longestTimerMs } from './timers.ts';

/** All names of the options of a factory, each with the other words for it that people try, or `true`. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true | readonly string[]>>;

/**
 * Checks the options of one factory. Every method throws `invalid` naming who, the option and its value:
 * `nats broker: option concurrency is 0, not a whole number from 1`.
 */
export class OptionChecks {
  readonly #who: string;

  /** `who` begins every message: `nats broker`. */
  constructor(who: string) {
    this.#who = who;
  }

  /** Accepts a time in milliseconds that a timer can measure: above 0 and at most {@link longestTimerMs}. */
  milliseconds(option: string, value: unknown): void {
    if (typeof value === 'number' && value > 0 && value <= longestTimerMs) return;
    throw this.invalid(option, value, `a number of milliseconds above 0 and up to ${longestTimerMs}`);
  }

  /** Accepts the same, or 0 where nothing is waited for. */
  millisecondsOrNone(option: string, value: unknown): void {
    if (value !== 0) this.milliseconds(option, value);
  }

  /** Accepts a whole number from `least` to `most`. @default 1 to 2^53 - 1 */
  whole(option: string, value: unknown, least = 1, most: number = Number.MAX_SAFE_INTEGER): void {
    if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return;
    const upTo = most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`;
    throw this.invalid(option, value, `a whole number from ${least}${upTo}`);
  }

  /** Accepts an object: the options as a whole. */
  bag(options: unknown): void {
    if (typeof options === 'object' && options !== null) return;
    throw new MicroError('invalid', `${this.#who}: the options are ${describe(options)}, not an object`);
  }

  /**
   * Accepts an object in which no name is a slip for one of `names`, as `timeout` is for `timeoutMs`. Names that are
   * like none of them are left alone: one object may hold the options of several factories.
   */
  named(options: unknown, names: OptionNames<Record<string, unknown>>): void {
    this.bag(options);
    const given = options as Readonly<Record<string, unknown>>;
    for (const name of Object.keys(given)) {
      if (given[name] === undefined || Object.hasOwn(names, name)) continue;
      const meant = meantBy(name, names);
      if (meant === undefined || given[meant] !== undefined) continue;
      const what = `there is no option ${describe(name)}, and ${meant} may be meant`;
      throw new MicroError('invalid', `${this.#who}: ${what}`);
    }
  }

  /** Accepts one of `choices`. */
  oneOf(option: string, value: unknown, choices: readonly string[]): void {
    if (choices.includes(value as string)) return;
    throw this.invalid(option, value, `one of ${choices.join(', ')}`);
  }

  /** Accepts a boolean. */
  boolean(option: string, value: unknown): void {
    if (typeof value !== 'boolean') throw this.invalid(option, value, 'true or false');
  }

  /** Accepts a text with more in it than white space. */
  text(option: string, value: unknown): void {
    if (typeof value !== 'string' || value.trim() === '') throw this.invalid(option, value, 'a text');
  }

  /** Accepts a function, or `undefined`. */
  optionalFunction(option: string, value: unknown): void {
    if (value !== undefined && typeof value !== 'function') throw this.invalid(option, value, 'a function');
  }

  /** Accepts a function that runs as it is called, which a generator does not. */
  function(option: string, value: unknown): void {
    if (typeof value !== 'function') throw this.invalid(option, value, 'a function');
    if (/Generator/.test(Object.prototype.toString.call(value)))
      throw this.invalid(option, value, 'one that runs as it is called: it is a generator');
  }

  /** Accepts an object that has all of `methods`. */
  methods(option: string, value: unknown, ...methods: readonly string[]): void {
    const missing = methods.find((method) => typeof (value as Record<string, unknown> | null)?.[method] !== 'function');
    if (missing !== undefined) throw this.invalid(option, value, `an object with the method ${missing}`);
  }

  /** Accepts a list of functions. */
  functions(option: string, value: unknown): void {
    if (!Array.isArray(value)) throw this.invalid(option, value, 'a list of functions');
    for (const [index, item] of value.entries()) this.function(`${option}[${index}]`, item);
  }

  /** Accepts an object of names and strings, and nothing that holds its entries elsewhere, as a `Map` does. */
  texts(option: string, value: unknown): void {
    if (typeof value !== 'object' || value === null || Symbol.iterator in value)
      throw this.invalid(option, value, 'an object of names and strings');
    for (const [name, text] of Object.entries(value))
      if (typeof text !== 'string') throw this.invalid(`${option}.${name}`, text, 'a string');
  }

  /** The error of an option that breaks `rule`, for checks that are not here. */
  invalid(option: string, value: unknown, rule: string): MicroError {
    return new MicroError('invalid', `${this.#who}: option ${option} is ${describe(value)}, not ${rule}`);
  }
}

function meantBy(name: string, names: OptionNames<Record<string, unknown>>): string | undefined {
  const words = new Map<string, string>();
  for (const [option, others] of Object.entries(names)) {
    words.set(option, option);
    // A time without its unit.
    if (option.endsWith('Ms')) words.set(option.slice(0, -2), option);
    for (const other of others === true ? [] : others) words.set(other, option);
  }
  const plain = name.replace(/[-_]/g, '');
  const found = nearest(plain, [...words.keys()], plain.length < 6 ? 0 : plain.length < 7 ? 1 : 2);
  return found === undefined ? undefined : words.get(found);
}

// Never throws, whatever the value is: a symbol, an object without a prototype, a proxy.
function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}
