import { AsyncResource } from 'node:async_hooks';

/**
 * An async context of its own for one handler: what `AsyncLocalStorage.enterWith` sets in it is seen by what the
 * handler does, and by nobody else. It begins as the context is in which it was made.
 */
export class OwnContext extends AsyncResource {
  constructor() {
    super('ts-micro.handler', { requireManualDestroy: true });
  }
}
