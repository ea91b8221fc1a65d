import { expect, test } from 'vitest';
import { EventCount } from '../src/harness/event-count.ts';
import { answer, byteSample, checkAnswer, checkBytes, sample } from '../src/harness/report/sample.ts';

test('a sample and its answer are 128 bytes of JSON, whatever the serial number', () => {
  for (const serial of [0, 1, 8_999_999, 9_000_000, 123_456_789]) {
    expect(JSON.stringify(sample(serial))).toHaveLength(128);
    expect(JSON.stringify(answer(sample(serial)))).toHaveLength(128);
  }
});

test('only the right answer passes', () => {
  checkAnswer(sample(7), answer(sample(7)));
  expect(() => checkAnswer(sample(7), sample(7))).toThrow('wrong answer');
  expect(() => checkAnswer(sample(7), { ...answer(sample(7)), text: 'short' })).toThrow('wrong answer');
});

test('only the same bytes pass', () => {
  checkBytes(7, 4096, byteSample(7, 4096));
  expect(() => checkBytes(7, 4096, byteSample(8, 4096))).toThrow('wrong answer');
  expect(() => checkBytes(7, 4096, byteSample(7, 4095))).toThrow('wrong answer');
});

test('a subscriber that counts sees loss, doubles and disorder', async () => {
  const deliver = async (serials: readonly number[]): Promise<unknown> => {
    const count = new EventCount();
    const delivery = count.expect(3, 1, 50);
    for (const serial of serials) count.add(sample(serial));
    return delivery;
  };
  await expect(deliver([0, 1, 2])).resolves.toMatchObject({ received: 3 });
  await expect(deliver([0, 1])).resolves.toMatchObject({ received: 2 });
  await expect(deliver([0, 2, 1])).rejects.toThrow('message 1 is wrong');
  await expect(deliver([0, 0, 1])).rejects.toThrow('message 1 is wrong');
});

test('several subscribers together see loss and doubles, in any order', async () => {
  const deliver = async (serials: readonly number[]): Promise<unknown> => {
    const count = new EventCount({ isMixed: true });
    const delivery = count.expect(2, 2, 50);
    for (const serial of serials) count.add(sample(serial));
    return delivery;
  };
  await expect(deliver([0, 1, 1, 0])).resolves.toMatchObject({ received: 4 });
  await expect(deliver([0, 1, 1])).resolves.toMatchObject({ received: 3 });
  await expect(deliver([0, 1, 1, 1])).rejects.toThrow('some are doubled');
});
