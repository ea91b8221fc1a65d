import { expect, test } from 'vitest';
import { serviceRecord } from '../src/index.ts';

test('what may be left out is filled in', () => {
  const record = serviceRecord({
    name: 'greeter',
    endpoints: [{ name: 'Greeter.Hello' }],
    nodes: [{ id: 'greeter-1', address: 'memory:1' }],
  });
  expect(record).toEqual({
    name: 'greeter',
    version: '',
    metadata: {},
    endpoints: [{ name: 'Greeter.Hello', metadata: {} }],
    nodes: [{ id: 'greeter-1', address: 'memory:1', metadata: {} }],
  });
  expect(serviceRecord({ name: 'greeter' })).toEqual({
    name: 'greeter',
    version: '',
    metadata: {},
    endpoints: [],
    nodes: [],
  });
});

test('a record is a deep copy', () => {
  const init = {
    name: 'greeter',
    version: '1',
    metadata: { zone: 'a' },
    endpoints: [
      {
        name: 'Greeter.Hello',
        request: { name: 'Request', type: 'Request', values: [{ name: 'name', type: 'string', values: [] }] },
        response: { name: 'Response', type: 'Response', values: [] as { name: string; type: string; values: [] }[] },
        metadata: { stream: 'false' },
      },
    ],
    nodes: [{ id: 'greeter-1', address: 'memory:1', metadata: { dialect: 'native' } }],
  };
  const before = structuredClone(init);
  const record = serviceRecord(init);
  expect(record).toEqual(before);

  init.metadata.zone = 'b';
  const endpoint = init.endpoints[0];
  if (endpoint?.request.values[0]) endpoint.request.values[0].type = 'changed';
  endpoint?.response.values.push({ name: 'added', type: 'string', values: [] });
  if (endpoint) endpoint.metadata.stream = 'true';
  if (init.nodes[0]) init.nodes[0].metadata.dialect = 'changed';
  init.nodes.push({ id: 'greeter-2', address: 'memory:2', metadata: { dialect: 'native' } });
  expect(record).toEqual(before);
});

test('only what belongs to a record is copied', () => {
  const node = { id: 'greeter-1', address: 'memory:1', secret: 'x' };
  expect(serviceRecord({ name: 'greeter', nodes: [node] }).nodes[0]).toEqual({
    id: 'greeter-1',
    address: 'memory:1',
    metadata: {},
  });
});

test('metadata named `__proto__` is plain metadata', () => {
  const metadata = JSON.parse('{"__proto__":"a","constructor":"b"}');
  const record = serviceRecord({ name: 'greeter', metadata, nodes: [{ id: '1', address: 'a', metadata }] });
  const entries = [
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ];
  expect(Object.entries(record.metadata)).toEqual(entries);
  expect(Object.entries(record.nodes[0]?.metadata ?? {})).toEqual(entries);
});

test.each([
  ['a record without a name', { name: '' }, 'name is empty'],
  ['a node without an id', { name: 'greeter', nodes: [{ id: '', address: 'a' }] }, '"greeter": a node has no id'],
  ['a node without an address', { name: 'greeter', nodes: [{ id: '1', address: '' }] }, 'node "1" has no address'],
])('%s is refused', (_, init, text) => {
  expect(() => serviceRecord(init)).toThrow(
    expect.objectContaining({ code: 'invalid', message: expect.stringContaining(text) }),
  );
});

test('a name that is no string is refused', () => {
  expect(() => serviceRecord({ name: undefined as unknown as string })).toThrow(
    expect.objectContaining({ code: 'invalid' }),
  );
});
