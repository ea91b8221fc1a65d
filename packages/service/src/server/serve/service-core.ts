import type { Logger } from '@ts-micro/core';
import type { ByteBudget, RateLimitedLogger } from '@ts-micro/kit';
import type { Middleware } from '../../middleware.ts';
import type { Codecs } from '../../rpc/codec/codecs.ts';
import type { RefusedSockets } from '../lifecycle/refused-sockets.ts';
import type { ConcurrencyLimiter } from './concurrency-limiter.ts';
import type { Gate } from './gate.ts';
import type { Routes } from './routes.ts';

/** The parts that everything shares which serves messages of one service. */
export interface ServiceCore {
  readonly name: string;
  /** The names of the plugins that requests and events come by, the second empty where there is no broker. */
  readonly transport: string;
  readonly broker: string;
  readonly codecs: Codecs;
  readonly routes: Routes;
  readonly middleware: readonly Middleware[];
  readonly limiter: ConcurrencyLimiter;
  /** What clients sent on streams and handlers have not received yet. */
  readonly unread: ByteBudget;
  readonly gate: Gate;
  readonly refusedSockets: RefusedSockets;
  readonly logger: Logger;
  /** For what callers can cause as often as they like. */
  readonly limitedLogger: RateLimitedLogger;
}
