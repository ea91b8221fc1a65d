import { MicroError } from '@ts-micro/core';
import { OptionChecks } from '@ts-micro/kit';
import { checkMetadata, type OutgoingOptions, type TargetOptions } from '../client-options.ts';

const checks = new OptionChecks('client');

const unusable = /[\r\n\0]|^\s|\s$/;

/** Throws `invalid` for options of a call, stream or event that nothing can be done with. */
export function checkOutgoing(options: OutgoingOptions | undefined): void {
  if (options === undefined) return;
  try {
    checks.bag(options);
    const { metadata, context, signal, codecs } = options;
    if (codecs !== undefined) checks.methods('codecs', codecs, 'get', 'legacy');
    if (metadata !== undefined) {
      checkMetadata('metadata', metadata);
      // A getter or a proxy that throws does so here.
      Object.values(metadata);
    }
    if (signal !== undefined && !isSignal(signal)) throw checks.invalid('signal', signal, 'an AbortSignal');
    if (context !== undefined && (!isSignal(context?.signal) || !isObject(context.metadata)))
      throw checks.invalid('context', context, 'the context of a handler');
  } catch (error) {
    throw MicroError.from(error, 'invalid', 'client: the options cannot be read');
  }
}

/** Throws `invalid` for a target of a call or stream that cannot be one. */
export function checkTarget(service: string, endpoint: string, options: TargetOptions | undefined): void {
  if (typeof service !== 'string') throw checks.invalid('service', service, 'a text');
  checks.text('endpoint', endpoint);
  // Which also keeps its lines out of messages that are logged.
  if (unusable.test(endpoint))
    throw checks.invalid('endpoint', endpoint, 'a text of one line without outer white space');
  if (options === undefined) return;
  const { version, label, where, address } = options;
  if (version !== undefined && typeof version !== 'string') throw checks.invalid('version', version, 'a text');
  if (address !== undefined && typeof address !== 'string') throw checks.invalid('address', address, 'a text');
  checks.optionalFunction('where', where);
  if (label !== undefined && !isObject(label)) throw checks.invalid('label', label, 'a pair or an object of texts');
}

function isSignal(value: AbortSignal | undefined): boolean {
  return typeof value?.addEventListener === 'function';
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
