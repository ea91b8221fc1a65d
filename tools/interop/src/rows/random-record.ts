import { type EndpointRecord, type ServiceRecord, serviceRecord, type ValueRecord } from '@ts-micro/core';

const types = [
  'string',
  'int64',
  'uint32',
  'float64',
  'bool',
  '[]string',
  '[]byte',
  'map[string]int',
  'Request',
  '*Node',
  '',
];
const words = ['name', 'id', 'Request', 'limit', 'größe', 'a-b', 'a.b', 'x y', '', '0'];

/** A record with endpoints of every kind and shape, without a node that could be called. */
export function randomRecord(random: () => number, name: string): ServiceRecord {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const value = (depth: number): ValueRecord => ({
    name: pick(words),
    type: pick(types),
    values: depth > 0 ? Array.from({ length: Math.floor(random() * 4) }, () => value(depth - 1)) : [],
  });
  const shape = (): ValueRecord | undefined => (random() < 0.4 ? undefined : value(Math.floor(random() * 4)));
  const metadata = (): Record<string, string> => {
    const kind = random();
    if (kind < 0.2) return { subscriber: 'true' };
    if (kind < 0.4) return { stream: 'true' };
    return kind < 0.6 ? { description: 'Greets "somebody"\nby name.', example: '{"name":"John"}' } : {};
  };
  const endpoint = (): EndpointRecord => ({
    name: pick(['Greeter.Hello', 'Hello', 'Func', 'a.b.c', '', 'Größe.Messen']),
    request: shape(),
    response: shape(),
    metadata: metadata(),
  });
  return serviceRecord({
    name,
    version: pick(['', 'latest', '1.0.0']),
    metadata: random() < 0.5 ? {} : { type: 'agent' },
    endpoints: Array.from({ length: 1 + Math.floor(random() * 4) }, endpoint),
    nodes: [{ id: `${name}-1`, address: `nobody.${name}` }],
  });
}
