import { checkHeaders, MicroError } from '@ts-micro/core';
import { OptionChecks, type OptionNames } from '@ts-micro/kit';
import {
  type CallOptions,
  checkMetadata,
  type EventOptions,
  type OutgoingOptions,
  type StreamOptions,
  type TargetOptions,
} from '../client-options.ts';

const checks = new OptionChecks('client');

const unusable = /[\r\n\0]|^\s|\s$/;

const outgoingNames: OptionNames<OutgoingOptions> = {
  signal: ['abortSignal'],
  metadata: ['headers'],
  context: true,
  contentType: true,
  codecs: ['codec'],
};
const targetNames: OptionNames<TargetOptions> = { version: true, label: true, where: true, address: true };
const retryNames = { timeoutMs: true, retries: ['retry'] } as const;

/** The names of the options of one call, stream or event. */
export const callOptionNames: OptionNames<CallOptions> = {
  ...outgoingNames,
  ...targetNames,
  ...retryNames,
  attemptTimeoutMs: true,
  idempotent: ['idempotency'],
};
export const streamOptionNames: OptionNames<StreamOptions> = {
  ...outgoingNames,
  ...targetNames,
  ...retryNames,
  streamIdleMs: ['idleMs'],
};
export const eventOptionNames: OptionNames<EventOptions> = outgoingNames;

/** Throws `invalid` for options of a call, stream or event that nothing can be done with; `names` are all it has. */
export function checkOutgoing(options: CallOptions | undefined, names: OptionNames<object>): void {
  if (options === undefined) return;
  try {
    checks.named(options, names);
    const { metadata, context, signal, contentType, codecs, idempotent } = options;
    if (codecs !== undefined) checks.methods('codecs', codecs, 'get', 'legacy');
    if (contentType !== undefined) checks.text('contentType', contentType);
    if (idempotent !== undefined) checks.boolean('idempotent', idempotent);
    if (metadata !== undefined) {
      checkMetadata('metadata', metadata);
      checkHeaders(metadata, 'client: option metadata');
    }
    if (signal !== undefined && !isSignal(signal)) throw checks.invalid('signal', signal, 'an AbortSignal');
    if (context !== undefined && !isContext(context))
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
  if (label !== undefined && !isLabel(label)) throw checks.invalid('label', label, 'a pair or an object of texts');
}

function isContext(context: NonNullable<OutgoingOptions['context']> | null): boolean {
  if (!isSignal(context?.signal) || !isObject(context?.metadata)) return false;
  const deadline: unknown = context?.deadline;
  return deadline === undefined || (typeof deadline === 'number' && !Number.isNaN(deadline));
}

function isSignal(value: AbortSignal | undefined): boolean {
  return typeof value?.addEventListener === 'function';
}

function isLabel(label: unknown): boolean {
  // What is iterated, as a `Map`, would look empty.
  if (!isObject(label) || (!Array.isArray(label) && Symbol.iterator in (label as object))) return false;
  const texts = Object.values(label as object);
  return texts.every((text) => typeof text === 'string') && (!Array.isArray(label) || texts.length === 2);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
