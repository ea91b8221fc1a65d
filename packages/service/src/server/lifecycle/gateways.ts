import { type AbortOptions, MicroError } from '@ts-micro/core';
import { abortable, untilAborted } from '@ts-micro/kit';
import type { ServiceCore } from '../serve/service-core.ts';

/**
 * A further way by which requests come to a service: it brings them to `service.invoke`, and opens and closes with the
 * service.
 */
export interface ServiceGateway {
  /** Names it in errors and in the log: `nats services`. */
  readonly name: string;
  /**
   * Called by `start` once the service listens, and before the registry lists it. Requests may come from then on. Where
   * it rejects, the start fails.
   */
  open(options: AbortOptions): Promise<void>;
  /**
   * Called once the service begins to stop, while it still serves: takes nothing further in. The stop waits for it as
   * for leaving the registry.
   */
  leave(options: AbortOptions): Promise<void>;
  /** Called at last, also where `open` rejected: lets go of everything. */
  close(options: AbortOptions): Promise<void>;
}

/** The gateways of one service. */
export class Gateways {
  readonly #core: ServiceCore;
  readonly #all = new Set<ServiceGateway>();

  constructor(core: ServiceCore) {
    this.#core = core;
  }

  /** Throws `invalid` unless it can be opened and closed, `conflict` where it is there already. */
  add(gateway: ServiceGateway): void {
    const what = `service "${this.#core.name}": attach`;
    for (const method of ['open', 'leave', 'close'] as const) {
      if (typeof gateway?.[method] !== 'function')
        throw new MicroError('invalid', `${what}: the gateway has no method ${method}`);
    }
    if (this.#all.has(gateway)) throw new MicroError('conflict', `${what}: ${gateway.name} is attached already`);
    this.#all.add(gateway);
  }

  /** Opens them one after the other. Rejects with what the first of them rejects with. */
  async open(signal: AbortSignal): Promise<void> {
    for (const gateway of this.#all) {
      // One that is not `async` may give nothing.
      const opening = Promise.resolve(gateway.open({ signal }));
      await abortable(opening, signal, `service "${this.#core.name}": opening ${gateway.name}`);
    }
  }

  /** Never rejects. */
  leave(signal: AbortSignal): Promise<void> {
    return this.#tell('leave', signal);
  }

  /** Never rejects. */
  close(signal: AbortSignal): Promise<void> {
    return this.#tell('close', signal);
  }

  async #tell(method: 'leave' | 'close', signal: AbortSignal): Promise<void> {
    await Promise.all(Array.from(this.#all, (gateway) => untilAborted(this.#told(gateway, method, signal), signal)));
  }

  async #told(gateway: ServiceGateway, method: 'leave' | 'close', signal: AbortSignal): Promise<void> {
    const { name: service, logger } = this.#core;
    try {
      await gateway[method]({ signal });
    } catch (error) {
      logger.warn('gateway not closed', { service, gateway: gateway.name, error });
    }
  }
}
