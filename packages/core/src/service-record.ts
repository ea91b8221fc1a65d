import { MicroError } from './error.ts';

/** One version of a service as the registry knows it. (Go Micro: `registry.Service`.) */
export interface ServiceRecord {
  readonly name: string;
  /** @default '' */
  readonly version: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly endpoints: readonly EndpointRecord[];
  readonly nodes: readonly NodeRecord[];
}

/** One running instance. `address` is a listener's address; `id` is unique within the service. */
export interface NodeRecord {
  readonly id: string;
  readonly address: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** One endpoint, or a subscriber (metadata `subscriber: "true"`), as advertised. */
export interface EndpointRecord {
  readonly name: string;
  readonly request?: ValueRecord | undefined;
  readonly response?: ValueRecord | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The shape of a request or response: Go type names, nested to any depth. */
export interface ValueRecord {
  readonly name: string;
  readonly type: string;
  readonly values: readonly ValueRecord[];
}

/** The input of {@link serviceRecord}: everything with a default may be left out. */
export interface ServiceRecordInit {
  readonly name: string;
  readonly version?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly endpoints?:
    | readonly (Omit<EndpointRecord, 'metadata'> & Partial<Pick<EndpointRecord, 'metadata'>>)[]
    | undefined;
  readonly nodes?: readonly (Omit<NodeRecord, 'metadata'> & Partial<Pick<NodeRecord, 'metadata'>>)[] | undefined;
}

/**
 * Returns a complete record: a deep copy that shares nothing with `init`. Throws `invalid` where a name, node id or
 * node address is missing.
 *
 * Fields that are none of a record's are left out: no backend carries them, and Go Micro has no place for them. What
 * else a node or an endpoint wants to say goes into its `metadata`.
 */
export function serviceRecord(init: ServiceRecordInit): ServiceRecord {
  if (typeof init.name !== 'string' || init.name === '')
    throw new MicroError('invalid', 'service record: name is empty');
  return {
    name: init.name,
    version: init.version ?? '',
    metadata: { ...init.metadata },
    endpoints: (init.endpoints ?? []).map((endpoint) => ({
      name: endpoint.name,
      request: endpoint.request && copyValue(endpoint.request),
      response: endpoint.response && copyValue(endpoint.response),
      metadata: { ...endpoint.metadata },
    })),
    nodes: (init.nodes ?? []).map((node) => {
      if (!node.id) throw new MicroError('invalid', `service record "${init.name}": a node has no id`);
      if (!node.address)
        throw new MicroError('invalid', `service record "${init.name}": node "${node.id}" has no address`);
      return { id: node.id, address: node.address, metadata: { ...node.metadata } };
    }),
  };
}

function copyValue(value: ValueRecord): ValueRecord {
  return { name: value.name, type: value.type, values: value.values.map(copyValue) };
}
