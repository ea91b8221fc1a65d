import type { NodeRecord } from '@ts-micro/core';
import type { CallContext } from './rpc/call-context.ts';

/** One call, stream or event on its way through the middleware of a client or a service. */
export interface MiddlewareCall {
  readonly side: 'client' | 'server';
  readonly kind: 'unary' | 'stream' | 'event';
  /** The service called; on the server its own name; empty where a client publishes an event. */
  readonly service: string;
  /** The endpoint, or the topic of an event. */
  readonly name: string;
  /** Metadata. What a client's middleware sets goes out, what a server's sets the handler sees. */
  readonly headers: Record<string, string>;
  /**
   * The value sent or received, which may be replaced; of a stream, on the server the stream and on the client
   * `undefined`.
   */
  payload: unknown;
  /** On the client the node that the last attempt went to, once `next` has settled. */
  node?: NodeRecord | undefined;
  /** On the server the handler's context; on the client the one the call was given. */
  readonly context: CallContext | undefined;
}

/**
 * Wraps what `next` does: a unary call's response, an opened stream on the client, a handled stream or event.
 *
 * What it returns is the result, so it may change or replace it, or throw; without a call of `next` nothing further
 * runs.
 */
export type Middleware = (call: MiddlewareCall, next: () => Promise<unknown>) => unknown;

/** Runs `last` inside `chain`, the first outermost. */
export async function runMiddleware(
  chain: readonly Middleware[],
  call: MiddlewareCall,
  last: () => unknown,
): Promise<unknown> {
  const run = async (index: number): Promise<unknown> => {
    const middleware = chain[index];
    return middleware === undefined ? last() : middleware(call, () => run(index + 1));
  };
  return run(0);
}
