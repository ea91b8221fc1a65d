import { MicroError } from '@ts-micro/core';
import { OptionChecks } from '@ts-micro/kit';

const checks = new OptionChecks('client');

/** The options of a call over those of its endpoint. Throws `invalid` for what is no object, and so has none. */
export function withDefaults<Options extends object>(defaults: Options, options: Options | undefined): Options {
  if (options === undefined || options === null) return defaults;
  checks.bag(options);
  try {
    return { ...defaults, ...options };
  } catch (error) {
    throw MicroError.from(error, 'invalid', 'client: the options cannot be read');
  }
}
