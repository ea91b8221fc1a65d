import { checkHeaders, type Headers, MicroError } from '@ts-micro/core';
import { propagatedMetadata } from '../../rpc/metadata.ts';
import type { OutgoingOptions } from '../client-options.ts';

/**
 * Returns the outgoing metadata: the client's, over it the incoming request's, over it the call's own; `undefined`
 * where that is nothing. A name is one name in any case, written as the one that counts writes it.
 *
 * Throws `invalid` where the client's, or that of a context, cannot be read; the call's own is checked with its
 * options.
 */
export function outgoingMetadata(
  callMetadata: Headers | undefined,
  options: OutgoingOptions | undefined,
): Headers | undefined {
  // What the client was given may have changed since, or be made anew at each reading.
  if (callMetadata !== undefined) checkHeaders(callMetadata, 'client: option callMetadata');
  if (options?.context === undefined) {
    if (options?.metadata === undefined) return callMetadata && oneOfEachName(callMetadata);
    if (callMetadata === undefined) return oneOfEachName(options.metadata);
  }
  try {
    const propagated = options?.context && propagatedMetadata(options.context.metadata);
    return merged(callMetadata, propagated, options?.metadata);
  } catch (error) {
    throw MicroError.from(error, 'invalid', 'client: the metadata cannot be read');
  }
}

/** Returns the headers with one of each name, in any case: the last one. The same object where none is there twice. */
export function oneOfEachName(headers: Headers): Headers {
  const names = Object.keys(headers);
  if (names.length < 2 || new Set(names.map((name) => name.toLowerCase())).size === names.length) return headers;
  return merged(headers);
}

function merged(...layers: readonly (Headers | undefined)[]): Headers {
  const byName = new Map<string, readonly [name: string, value: string]>();
  for (const layer of layers) {
    for (const [name, value] of Object.entries(layer ?? {})) byName.set(name.toLowerCase(), [name, value]);
  }
  return Object.fromEntries(byName.values());
}
