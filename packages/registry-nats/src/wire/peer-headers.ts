import { type Headers, MicroError } from '@ts-micro/core';
import type { NatsConnection, NatsMessage } from '@ts-micro/nats';

// What ts-micro registries tell each other beside Go Micro's payloads, which have no NATS headers and whose readers
// ignore them.

/** The subjects that the same message was published on before, comma separated. */
const alsoHeader = 'Ts-Micro-Also';
/** The lease in ms: one number for all nodes of the record, or one for each in their order, comma separated. */
const leaseHeader = 'Ts-Micro-Lease';

/** Publishes on every subject; from the second on it says where it was published before. Throws as `publish` does. */
export function publishToAll(
  connection: NatsConnection,
  subjects: readonly string[],
  data: Uint8Array,
  { reply, leasesMs }: { readonly reply?: string | undefined; readonly leasesMs?: readonly number[] | undefined } = {},
): void {
  subjects.forEach((subject, index) => {
    const headers = {
      ...(leasesMs && leaseHeaders(leasesMs)),
      ...(index > 0 && { [alsoHeader]: subjects.slice(0, index).join(',') }),
    };
    connection.publish(subject, data, { reply, headers: Object.keys(headers).length > 0 ? headers : undefined });
  });
}

/** Returns what a question or an announcement fails with where the server refuses to take it. */
export function deniedError(subject: string, cause: MicroError): MicroError {
  const message = `nats registry: the server refuses what is published to "${subject}": ${cause.message}`;
  return new MicroError('unauthorized', message, { cause });
}

/** Returns whether one of `subjects`, which this side is subscribed to, brings the same message. */
export function comesTwice(message: NatsMessage, subjects: readonly string[]): boolean {
  const also = message.headers()[alsoHeader];
  return also?.split(',', 16).some((subject) => subjects.includes(subject)) ?? false;
}

export function leaseHeaders(leasesMs: readonly number[]): Headers {
  const isOneForAll = leasesMs.every((lengthMs) => lengthMs === leasesMs[0]);
  return { [leaseHeader]: isOneForAll ? String(leasesMs[0]) : leasesMs.join(',') };
}

/**
 * The leases a message states, for the nodes in their order or one for all; `undefined` where it states none that
 * makes sense.
 */
export function statedLeasesMs(message: NatsMessage, nodeCount: number): readonly number[] | undefined {
  const leasesMs = message
    .headers()
    [leaseHeader]?.split(',', nodeCount + 2)
    .map(Number);
  if (leasesMs === undefined || (leasesMs.length !== 1 && leasesMs.length !== nodeCount)) return undefined;
  return leasesMs.every((lengthMs) => lengthMs > 0 && lengthMs < Number.POSITIVE_INFINITY) ? leasesMs : undefined;
}
