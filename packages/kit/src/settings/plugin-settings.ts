import { MicroError } from '@ts-micro/core';
import { parseGoDuration } from './go-duration.ts';

/**
 * Reads the settings that an operator gave a plugin by flag and environment. Every method returns `undefined` for a
 * setting that is not there, and throws `invalid` naming who, the setting and its value:
 * `jetstream broker: setting jetstream_replicas is "three", not a whole number`.
 */
export class PluginSettings {
  readonly #who: string;
  readonly #settings: Readonly<Record<string, string>>;

  /** `who` begins every message: `jetstream broker`. */
  constructor(who: string, settings: Readonly<Record<string, string>> = {}) {
    this.#who = who;
    this.#settings = settings;
  }

  text(name: string): string | undefined {
    return this.#settings[name];
  }

  /** Reads a whole number of at most 15 digits. */
  whole(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (/^\d{1,15}$/.test(text)) return Number(text);
    throw this.#invalid(name, 'a whole number');
  }

  /** Reads a duration of a millisecond or more as whole milliseconds: `500ms`, `1m30s`. */
  milliseconds(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const ms = parseGoDuration(text);
    if (ms !== undefined && ms >= 1) return Math.round(ms);
    throw this.#invalid(name, 'a duration such as 500ms or 5s');
  }

  /** Reads `true`, `1`, `false` or `0`, in any case. */
  boolean(name: string): boolean | undefined {
    const text = this.text(name)?.toLowerCase();
    if (text === undefined) return undefined;
    if (text === 'true' || text === '1') return true;
    if (text === 'false' || text === '0') return false;
    throw this.#invalid(name, 'true or false');
  }

  #invalid(name: string, rule: string): MicroError {
    const value = JSON.stringify(this.text(name));
    return new MicroError('invalid', `${this.#who}: setting ${name} is ${value}, not ${rule}`);
  }
}
