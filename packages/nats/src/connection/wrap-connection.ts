import { type Logger, MicroError } from '@ts-micro/core';
import { safeLogger } from '@ts-micro/kit';
import { NatsLink } from '../link/link.ts';
import type { VendorConnection } from '../link/vendor-connection.ts';
import { isSubject } from '../subject.ts';
import { readMessages } from '../vendor/message-reader.ts';
import { messageWriter } from '../vendor/vendor-internals.ts';
import type { NatsConnection } from './connection.ts';

const wrapped = new WeakMap<VendorConnection, NatsLink>();

/**
 * Makes a connection of the NATS client (`nats` 2.x or `@nats-io/*` 3.x) usable by the plugins; the same one each time
 * for the same connection.
 *
 * It stays the caller's: closing the wrapper ends its subscriptions and leaves the connection open. Reply subjects
 * begin with the client's own `inboxPrefix`. Its defaults give up reconnecting after 10 attempts; set
 * `maxReconnectAttempts: -1`. Throws `invalid` where it is not a connection, `closed` where it is closed.
 */
export function wrapNatsConnection(vendor: VendorConnection, logger?: Logger): NatsConnection {
  const present = wrapped.get(vendor);
  if (present !== undefined && present.state.status !== 'closed') return present;
  if (typeof vendor?.publish !== 'function' || typeof vendor.status !== 'function') {
    throw new MicroError('invalid', 'nats: option connection is not a connection of the nats client');
  }
  if (vendor.isClosed()) throw new MicroError('closed', 'nats: option connection is closed');
  readMessages(vendor);
  const link = new NatsLink(vendor, {
    servers: [],
    inboxPrefix: inboxPrefixOf(vendor),
    connectTimeoutMs: 5000,
    logger: safeLogger(logger),
    write: messageWriter(vendor),
  });
  wrapped.set(vendor, link);
  return link;
}

/** The account of a client that was given one may subscribe below that alone. */
function inboxPrefixOf({ options }: VendorConnection): string {
  const prefix = options?.inboxPrefix;
  return prefix !== undefined && isSubject(prefix) ? prefix : '_INBOX';
}
