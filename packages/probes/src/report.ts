import { MicroError } from '@ts-micro/core';
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
    return { name: service.name, ...service.health() };
  } catch (error) {
    // Whether it lives is not known, and a restart is for what is known to be dead.
    const unknown = { live: true, ready: false, connected: false, registered: false, draining: false };
    const reasons = [`its health is not known: ${MicroError.textOf(error)}`];
    return { name: service.name, ...unknown, running: 0, refused: 0, reasons };
  }
}
