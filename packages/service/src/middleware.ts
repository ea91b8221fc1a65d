import { MicroError, type NodeRecord } from '@ts-micro/core';
import type { CallContext } from './rpc/call-context.ts';

/** An attempt of a client that failed, and that another one followed. */
export interface FailedAttempt {
  /** When it failed, in epoch milliseconds. */
  readonly failedAt: number;
  /** The node it went to; `undefined` where no node was found. */
  readonly node: NodeRecord | undefined;
  readonly error: MicroError;
}

/** One call, stream or event on its way through the middleware of a client or a service. */
export interface MiddlewareCall {
  readonly side: 'client' | 'server';
  readonly kind: 'unary' | 'stream' | 'event';
  /** The service called; on the server its own name; empty where a client publishes an event. */
  readonly service: string;
  /** The endpoint, or the topic of an event. */
  readonly name: string;
  /** The name of the plugin that carries it: `nats`. Empty where a client without a broker publishes. */
  readonly carrier: string;
  /** The subscription by which an event came to the server: its topic or pattern, and its queue. */
  readonly subscription?: { readonly topic: string; readonly queue: string | undefined } | undefined;
  /** Metadata. What a client's middleware sets goes out, what a server's sets the handler sees. */
  readonly headers: Record<string, string>;
  /**
   * The value sent or received, which may be replaced; of a stream, on the server the stream and on the client
   * `undefined`.
   */
  payload: unknown;
  /** On the client the node that the last attempt went to, once `next` has settled. */
  node?: NodeRecord | undefined;
  /** On the client the attempts that others followed, in order, each as soon as it failed; `undefined` for none. */
  failedAttempts?: FailedAttempt[] | undefined;
  /** On the server the handler's context; on the client the one the call was given. */
  readonly context: CallContext | undefined;
}

/** The parts of a client's {@link MiddlewareCall} that its attempts fill in. */
export type AttemptNotes = Pick<MiddlewareCall, 'node' | 'failedAttempts'>;

/**
 * Wraps what `next` does: a unary call's response, an opened stream on the client, a handled stream or event.
 *
 * Its return value is the result, so it may change or replace that, or throw. Without a call of `next` nothing further
 * runs. On the client each call of `next` is a call of its own; on the server a handler runs once for a request, so a
 * second `next` rejects with `internal`.
 */
export type Middleware = (call: MiddlewareCall, next: () => Promise<unknown>) => unknown;

/** Runs `last` inside `chain`, the first outermost. */
export function runMiddleware(
  chain: readonly Middleware[],
  call: MiddlewareCall,
  last: () => unknown,
): Promise<unknown> {
  const run = (index: number): Promise<unknown> => {
    const middleware = chain[index];
    if (middleware === undefined) return promised(last);
    let isPassed = false;
    const next = (): Promise<unknown> => {
      if (isPassed && call.side === 'server') return Promise.reject(passedTwice(call));
      isPassed = true;
      const passed = run(index + 1);
      // A middleware may leave it alone: what nobody waits for ends no process.
      passed.catch(ignore);
      return passed;
    };
    return promised(() => middleware(call, next));
  };
  return run(0);
}

/** What an async function does, but that a promise is returned as it is: each would have every call wait some turns. */
function promised(action: () => unknown): Promise<unknown> {
  try {
    const result = action();
    return result instanceof Promise ? result : Promise.resolve(result);
  } catch (error) {
    return Promise.reject(error);
  }
}

function passedTwice({ service, name }: MiddlewareCall): MicroError {
  return new MicroError('internal', `${service} ${name}: a middleware called next twice`);
}

function ignore(): void {}
