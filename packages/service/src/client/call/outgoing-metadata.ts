import type { Headers } from '@ts-micro/core';
import { propagatedMetadata } from '../../rpc/metadata.ts';
import type { OutgoingOptions } from '../client-options.ts';

/** What goes out as metadata: the client's, over it the incoming request's, over it the call's own; `undefined` where that is nothing. */
export function outgoingMetadata(
  callMetadata: Headers | undefined,
  options: OutgoingOptions | undefined,
): Headers | undefined {
  if (options?.context === undefined) {
    if (options?.metadata === undefined) return callMetadata;
    if (callMetadata === undefined) return options.metadata;
  }
  const propagated = options?.context && propagatedMetadata(options.context.metadata);
  return { ...callMetadata, ...propagated, ...options?.metadata };
}
