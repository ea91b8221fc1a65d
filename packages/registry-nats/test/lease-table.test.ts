import { type ServiceRecord, serviceRecord } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { type Lease, LeaseTable } from '../src/lease-table.ts';

const lease = (expiresAt: number, isStated = true): Lease => ({ lengthMs: 100, expiresAt, isStated });

function greeter(ids: readonly string[], { version = '1', color = 'red' } = {}): ServiceRecord {
  return serviceRecord({
    name: 'greeter',
    version,
    metadata: { color },
    nodes: ids.map((id) => ({ id, address: `address of ${id}` })),
  });
}

const idsOf = (record: ServiceRecord | undefined) => record?.nodes.map((node) => node.id);

test('nodes of one version are merged, versions kept apart', () => {
  const table = new LeaseTable();
  expect(table.put(greeter(['a']), [lease(10)])?.type).toBe('create');
  expect(table.put(greeter(['b']), [lease(10)])?.type).toBe('update');
  expect(table.put(greeter(['a'], { version: '2' }), [lease(10)])?.type).toBe('create');
  expect(idsOf(table.get('greeter', '1'))).toEqual(['a', 'b']);
  expect(table.recordsOf('greeter').map((record) => record.version)).toEqual(['1', '2']);
  expect(table.records()).toHaveLength(2);
  expect(table.recordsOf('other')).toEqual([]);
});

test('putting the same again changes nothing and keeps the record itself', () => {
  const table = new LeaseTable();
  table.put(greeter(['a', 'b']), [lease(10)]);
  const record = table.get('greeter', '1');
  expect(table.put(greeter(['b']), [lease(20)])).toBeUndefined();
  expect(table.get('greeter', '1')).toBe(record);
  expect(table.leasesOf(greeter(['a', 'b'])).map(({ expiresAt }) => expiresAt)).toEqual([10, 20]);
});

test('a changed record replaces all but the other nodes', () => {
  const table = new LeaseTable();
  table.put(greeter(['a']), [lease(10)]);
  const change = table.put(greeter(['b'], { color: 'blue' }), [lease(10)]);
  expect(change).toEqual({ type: 'update', service: greeter(['a', 'b'], { color: 'blue' }) });
});

test('an id that is named twice counts once', () => {
  const table = new LeaseTable();
  table.put(greeter(['a', 'a']), [lease(10), lease(20)]);
  expect(idsOf(table.get('greeter', '1'))).toEqual(['a']);
});

test('a record goes with its last node, and the change shows it as it last was', () => {
  const table = new LeaseTable();
  table.put(greeter(['a', 'b', 'c']), [lease(10)]);
  expect(table.remove(greeter(['a']))).toEqual({ type: 'update', service: greeter(['b', 'c']) });
  expect(table.remove(greeter(['a', 'other']))).toBeUndefined();
  expect(table.remove(greeter(['b', 'c']))).toEqual({ type: 'delete', service: greeter(['b', 'c']) });
  expect(table.records()).toEqual([]);
  expect(table.remove(greeter(['b']))).toBeUndefined();
});

test('removing a record without nodes removes the version', () => {
  const table = new LeaseTable();
  table.put(greeter(['a']), [lease(10)]);
  table.put(greeter(['a'], { version: '2' }), [lease(10)]);
  expect(table.remove(greeter([]))?.type).toBe('delete');
  expect(table.records().map((record) => record.version)).toEqual(['2']);
});

test('only the nodes that are due expire', () => {
  const table = new LeaseTable();
  table.put(greeter(['a', 'b', 'c']), [lease(10), lease(20), lease(30)]);
  expect(table.nextExpiry()).toBe(10);
  expect(table.expire(9)).toEqual([]);
  expect(table.expire(20)).toEqual([
    { service: greeter(['a', 'b']), change: { type: 'update', service: greeter(['c']) } },
  ]);
  expect(table.nextExpiry()).toBe(30);
  expect(table.expire(30)[0]?.change.type).toBe('delete');
  expect(table.nextExpiry()).toBe(Number.POSITIVE_INFINITY);
});

test('a record without nodes has a lease of its own, until it gets nodes', () => {
  const table = new LeaseTable();
  table.put(greeter([]), [lease(10)]);
  expect(table.expire(10)).toEqual([{ service: greeter([]), change: { type: 'delete', service: greeter([]) } }]);
  table.put(greeter([]), [lease(10)]);
  table.put(greeter(['a']), [lease(20)]);
  expect(table.expire(10)).toEqual([]);
  expect(idsOf(table.get('greeter', '1'))).toEqual(['a']);
});

test('a guessed lease can be spared', () => {
  const table = new LeaseTable();
  table.put(greeter(['a', 'b']), [lease(10, false), lease(10)]);
  expect(table.expire(10, { withGuessed: false }).map(({ service }) => idsOf(service))).toEqual([['b']]);
  expect(table.expire(10).map(({ service }) => idsOf(service))).toEqual([['a']]);
});

test('doubt turns every lease into a guess that ends soon', () => {
  const table = new LeaseTable();
  table.put(greeter(['a', 'b']), [lease(10), lease(1000)]);
  table.doubt(50);
  expect(table.nextExpiry()).toBe(50);
  expect(table.expire(50, { withGuessed: false })).toEqual([]);
  expect(table.expire(50)).toHaveLength(1);
});

test('renewing touches only what is there', () => {
  const table = new LeaseTable();
  table.renew(greeter(['a']), [lease(20)]);
  expect(table.records()).toEqual([]);
  table.put(greeter(['a']), [lease(10)]);
  table.renew(greeter(['a', 'b']), [lease(20)]);
  expect(idsOf(table.get('greeter', '1'))).toEqual(['a']);
  expect(table.expire(19)).toEqual([]);
  expect(table.expire(20)).toHaveLength(1);
});
