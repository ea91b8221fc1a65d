import { MicroError } from '@ts-micro/core';
import { ignoreRejection } from '@ts-micro/kit';
import type { ServiceHealth } from '@ts-micro/service';
import type { ProbedService } from './probes.ts';

export type Question = 'live' | 'ready';

/** How one service is, as it is answered. */
interface ServiceReport extends ServiceHealth {
  readonly name: string;
}

/** The answer to a probe. */
export interface Report {
  readonly status: 'ok' | 'failed';
  readonly services: readonly ServiceReport[];
}

/** Asks every service; `ok` where all of them are. Never throws. */
export function report(question: Question, services: readonly ProbedService[]): Report {
  const reports = services.map(reportOf);
  return { status: reports.every((one) => one[question]) ? 'ok' : 'failed', services: reports };
}

function reportOf(service: ProbedService): ServiceReport {
  try {
    const health: unknown = service.health();
    if (ignoreRejection(health)) throw new MicroError('invalid', 'it gave a promise');
    const { live, ready } = (health ?? {}) as Partial<ServiceHealth>;
    if (typeof live !== 'boolean' || typeof ready !== 'boolean')
      throw new MicroError('invalid', 'it does not say whether it is live, and ready');
    const told = { name: service.name, ...(health as ServiceHealth) };
    // Throws for what is no JSON.
    JSON.stringify(told);
    return told;
  } catch (error) {
    // Whether it lives is not known, and a restart is for what is known to be dead.
    const unknown = { live: true, ready: false, connected: false, registered: false, draining: false };
    const reasons = [`its health is not known: ${MicroError.textOf(error)}`];
    return { name: nameOf(service), ...unknown, running: 0, refused: 0, reasons };
  }
}

function nameOf(service: ProbedService): string {
  try {
    return String(service.name);
  } catch {
    return '';
  }
}
