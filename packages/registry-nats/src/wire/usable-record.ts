import type { Logger } from '@ts-micro/core';
import { type LeasedRecord, shown } from '@ts-micro/kit';
import type { NatsMessage } from '@ts-micro/nats';
import type { Announcement } from './messages.ts';
import { statedLeasesMs } from './peer-headers.ts';

/**
 * Returns what of a message can be used, with its leases; `undefined` where none of its nodes can be called. Those
 * are logged.
 */
export function usableRecord(
  message: NatsMessage,
  { service, undialable }: Omit<Announcement, 'action'>,
  logger: Logger,
): LeasedRecord | undefined {
  const leasesMs = statedLeasesMs(message, service.nodes.length + undialable.length);
  const [first] = undialable;
  if (first === undefined) return { service, leasesMs };
  logger.warn('nodes ignored, nobody can dial their addresses', {
    service: shown(service.name),
    nodes: undialable.length,
    first: shown(first.id),
    address: shown(first.address),
  });
  if (service.nodes.length === 0) return undefined;
  // Which of the leases are theirs is not known any more.
  return { service, leasesMs: leasesMs && [leasesMs.reduce((a, b) => Math.min(a, b))] };
}
