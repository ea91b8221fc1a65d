import { AsyncLocalStorage } from 'node:async_hooks';
import type { HandlerContext } from './handler-context.ts';

const firstNodeWithCheapStorage = 24;

// Before, the first use of an AsyncLocalStorage slows every promise of the process down.
const storage =
  Number.parseInt(process.versions.node, 10) >= firstNodeWithCheapStorage
    ? new AsyncLocalStorage<HandlerContext>()
    : undefined;
let running: HandlerContext | undefined;

/** Calls a handler so that {@link currentHandler} knows it: until its first `await`, and from Node 24 on to its end. */
export function runAsHandler<T>(context: HandlerContext, handler: () => T): T {
  if (storage !== undefined) return storage.run(context, handler);
  const outer = running;
  running = context;
  try {
    return handler();
  } finally {
    running = outer;
  }
}

/** The context of the handler that the running code belongs to, where that is known. */
export function currentHandler(): HandlerContext | undefined {
  return storage === undefined ? running : storage.getStore();
}
