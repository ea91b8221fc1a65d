import { type Broker, MicroError, type Registry, type Transport } from '@ts-micro/core';
import type { ServiceHealth, ServiceState } from '../service.ts';
import type { Registration } from './registration.ts';

export interface HealthInit {
  readonly state: ServiceState;
  readonly plugins: {
    readonly transport: Transport;
    readonly broker: Broker | undefined;
    readonly registry: Registry | undefined;
  };
  /** Why an answer did not go out lately. */
  readonly refusedAnswer: string | undefined;
  /** Why requests or events do not come in. */
  readonly problems: readonly string[];
  readonly isLostForGood: boolean;
  readonly startError: Error | undefined;
  readonly registration: Registration | undefined;
  readonly running: number;
  readonly refused: number;
}

/** Returns what a service tells a probe. */
export function healthOf(init: HealthInit): ServiceHealth {
  const { state, plugins, problems, refusedAnswer, isLostForGood, startError, registration, running, refused } = init;
  const isUp = state === 'running' || state === 'stopping';
  const reasons: string[] = [];
  if (state !== 'running') reasons.push(`the service is ${state}`);
  if (startError !== undefined) reasons.push(`the last start failed: ${startError.message}`);
  reasons.push(...problems);
  if (refusedAnswer !== undefined) reasons.push(refusedAnswer);
  const named = Object.entries(plugins).filter(([, plugin]) => plugin !== undefined) as [string, Transport][];
  const away = named.filter(([, { isConnected }]) => isConnected === false);
  reasons.push(
    ...away.map(([kind, { name, outage }]) => {
      const why = outage === undefined ? '' : `: ${MicroError.textOf(outage)}`;
      return `the ${name} ${kind} is not connected${why}`;
    }),
  );
  const registered = registration?.isRegistered ?? false;
  const isRefused = registration?.isRefused ?? false;
  if (registration?.error !== undefined)
    reasons.push(
      `${isRefused ? 'the service cannot be found' : 'the last heartbeat failed'}: ${registration.error.message}`,
    );
  else if (registration?.isWithdrawn) reasons.push('the service keeps out of the registry until it can serve');
  else if (registration !== undefined && state === 'running' && !registered) reasons.push('the lease has run out');
  return {
    live: state !== 'stopped' && !isLostForGood,
    ready: state === 'running' && problems.length === 0 && !isRefused && plugins.transport.isConnected !== false,
    // Where it has not started, only a plugin that says so is known to be connected.
    connected: away.length === 0 && (isUp || named.every(([, { isConnected }]) => isConnected === true)),
    registered,
    draining: state === 'stopping',
    running,
    refused,
    reasons,
  };
}
