import { serviceRecord } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { Collection } from '../src/query/collection.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

function answer(version: string, nodes: readonly { id: string; address: string }[]) {
  const record = serviceRecord({ name: 'greeter', version, nodes });
  return { subject: 'inbox', data: Buffer.from(JSON.stringify(record)), status: 0, headers: () => ({}) };
}

function collection(maxNodes: number): Collection {
  return new Collection({
    subjects: ['query'],
    quietMs: 0,
    timeoutMs: 5000,
    maxNodes,
    maxBytes: 100_000,
    maxRecordBytes: 10_000,
    logger: silent,
    ping: async () => 0,
  });
}

test('a record without a node counts as one, so that empty records are bounded as well', async () => {
  const collecting = collection(2);
  for (const version of ['1', '2', '3']) collecting.onReply(answer(version, []));
  expect((await collecting.answers).map(({ service }) => service.version)).toEqual(['1', '2']);
  collecting.stop();
});

test('a record with nodes counts as so many', async () => {
  const collecting = collection(3);
  const nodes = ['a', 'b', 'c'].map((id) => ({ id, address: `${id}:1` }));
  collecting.onReply(answer('1', nodes));
  collecting.onReply(answer('2', []));
  expect((await collecting.answers).map(({ service }) => service.version)).toEqual(['1']);
  collecting.stop();
});
