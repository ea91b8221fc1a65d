import { MicroError } from '@ts-micro/core';
import { OptionChecks } from '@ts-micro/kit';
import { checkMetadata, type OutgoingOptions } from '../client-options.ts';

const checks = new OptionChecks('client');

/** Throws `invalid` for options of a call, stream or event that nothing can be done with. */
export function checkOutgoing(options: OutgoingOptions | undefined): void {
  if (options === undefined) return;
  try {
    if (!isObject(options)) throw checks.invalid('bag', options, 'an object');
    const { metadata, context, signal } = options;
    if (metadata !== undefined) checkMetadata('metadata', metadata);
    if (signal !== undefined && !isSignal(signal)) throw checks.invalid('signal', signal, 'an AbortSignal');
    if (context !== undefined && (!isSignal(context?.signal) || !isObject(context.metadata)))
      throw checks.invalid('context', context, 'the context of a handler');
  } catch (error) {
    throw MicroError.from(error, 'invalid', 'client: the options cannot be read');
  }
}

/** Throws `invalid` for an endpoint without a name. */
export function checkEndpoint(endpoint: string): void {
  checks.text('endpoint', endpoint);
}

function isSignal(value: AbortSignal | undefined): boolean {
  return typeof value?.addEventListener === 'function';
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
