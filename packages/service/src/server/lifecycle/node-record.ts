import type { Broker, EndpointRecord, Listener, NodeRecord, Registry, Transport } from '@ts-micro/core';
import { type DialectChoice, leanMetadata } from '../../rpc/dialects.ts';
import type { Subscription } from '../events/subscription.ts';
import type { Route } from '../serve/routes.ts';

export interface NodeInit {
  readonly id: string;
  readonly address: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly dialect: DialectChoice;
  readonly listener: Listener;
  readonly transport: Transport;
  readonly broker: Broker | undefined;
  readonly registry: Registry | undefined;
}

/** The node of a running service, with the metadata that Go Micro's clients choose nodes by. */
export function nodeRecord(init: NodeInit): NodeRecord {
  const { id, address, metadata, dialect, listener, transport, broker, registry } = init;
  return {
    id,
    address,
    metadata: {
      ...metadata,
      ...listener.metadata,
      ...(dialect === 'auto' && leanMetadata),
      ...(broker && { broker: broker.name }),
      protocol: 'mucp',
      ...(registry && { registry: registry.name }),
      server: 'mucp',
      transport: transport.name,
    },
  };
}

// What Go Micro advertises a streaming endpoint with.
const streamRequest = { name: 'Context', type: 'Context', values: [] };
const streamResponse = { name: 'Stream', type: 'Stream', values: [] };

/**
 * Returns the endpoints that a service advertises, in Go Micro's order: handlers by name, then subscribers by topic,
 * descending.
 */
export function endpointRecords(
  routes: readonly Route[],
  subscriptions: readonly Subscription[],
): readonly EndpointRecord[] {
  const handlers = routes
    .filter((route) => !route.options.internal)
    .sort((a, b) => (a.endpoint < b.endpoint ? -1 : 1))
    .map(endpointOfRoute);
  const subscribers = subscriptions
    .filter((subscription) => !subscription.options.internal)
    .sort((a, b) => (a.topic < b.topic ? 1 : -1))
    .map(({ topic, options }) => ({
      name: 'Func',
      request: options.event,
      metadata: { ...options.metadata, subscriber: 'true', topic },
    }));
  return [...handlers, ...subscribers];
}

function endpointOfRoute({ endpoint, kind, options }: Route): EndpointRecord {
  if (kind === 'unary') {
    return { name: endpoint, request: options.request, response: options.response, metadata: { ...options.metadata } };
  }
  return {
    name: endpoint,
    request: options.request ?? streamRequest,
    response: options.response ?? streamResponse,
    metadata: { ...options.metadata, stream: 'true' },
  };
}
