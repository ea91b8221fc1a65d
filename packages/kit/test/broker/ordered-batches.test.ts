import { expect, test } from 'vitest';
import { messageFromJson, messageToJson, OrderedBatches } from '../../src/index.ts';

test('what comes while a batch is on its way goes with the next, in order and within its bounds', async () => {
  const sent: (readonly string[])[] = [];
  const batches = new OrderedBatches<string>({
    send: async (items) => void sent.push(items),
    bytesOf: (item) => item.length,
    most: 3,
    mostBytes: 4,
  });
  await Promise.all(['a', 'b', 'c', 'd', 'eeeee', 'f'].map((item) => batches.add(item)));
  expect(sent).toEqual([['a'], ['b', 'c', 'd'], ['eeeee'], ['f']]);
});

test('a batch that fails fails its items alone', async () => {
  const batches = new OrderedBatches<string>({
    send: async (items) => {
      if (items.includes('bad')) throw new Error('no');
    },
    bytesOf: () => 1,
    most: 1,
  });
  const [good, bad, next] = ['good', 'bad', 'next'].map((item) => batches.add(item));
  await good;
  await expect(bad).rejects.toThrow('no');
  await next;
});

test("Go Micro's JSON of a message comes back as it was, and nothing else is taken for one", () => {
  const message = { headers: Object.fromEntries([['__proto__', 'x']]), body: new Uint8Array([0, 255]) };
  expect(messageFromJson(Buffer.from(messageToJson(message)))).toEqual(message);
  expect(messageFromJson(Buffer.from('{"Header":null,"Body":null}'))).toEqual({ headers: {}, body: new Uint8Array() });
  for (const text of [
    '',
    '{}',
    '{',
    '[]',
    '{"Header":{"a":1}}',
    '{"Body":7}',
    '{"Header":{},"Body":"","More":1}',
    '{"Header":7,"Body":""}',
    '{"Header":[],"Body":""}',
    '{"Body":"not base64"}',
    '{"Body":"YQ"}',
    '{"Body":"Y!=="}',
  ])
    expect(messageFromJson(Buffer.from(text))).toBeUndefined();
});
