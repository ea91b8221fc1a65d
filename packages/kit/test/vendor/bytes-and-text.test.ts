import { afterEach, describe, expect, test, vi } from 'vitest';

const methods = ['latin1Slice', 'utf8Slice', 'base64Slice', 'utf8Write', 'latin1Write', 'base64Write'] as const;
const internals = Buffer.prototype as unknown as Record<(typeof methods)[number], unknown>;

afterEach(() => vi.resetModules());

/** The module as it is where Node has the methods that are not documented, and where it has not. */
async function load(hasInternals: boolean): Promise<typeof import('../../src/vendor/bytes-and-text.ts')> {
  vi.resetModules();
  const kept = methods.map((name) => internals[name]);
  if (!hasInternals) for (const name of methods) internals[name] = undefined;
  try {
    return await import('../../src/vendor/bytes-and-text.ts');
  } finally {
    for (const [index, name] of methods.entries()) internals[name] = kept[index];
  }
}

describe.each([
  ['with what Node does not document', true],
  ['without', false],
] as const)('bytes and text, %s,', (_, hasInternals) => {
  test('turn into each other on any Uint8Array', async () => {
    const { utf8Of, latin1Of, base64Of, writeUtf8, writeLatin1, writeBase64 } = await load(hasInternals);
    const bytes = new Uint8Array(32).subarray(4, 20);
    expect(writeUtf8(bytes, 'größe €', 2)).toBe(11);
    expect(utf8Of(bytes, 2, 13)).toBe('größe €');
    expect(utf8Of(bytes)).toBe('\0\0größe €\0\0\0');
    expect(writeLatin1(bytes, 'ÿab', 0)).toBe(3);
    expect(latin1Of(bytes, 0, 3)).toBe('ÿab');
    expect(base64Of(bytes, 0, 4)).toBe(Buffer.from(bytes.subarray(0, 4)).toString('base64'));
    expect(base64Of(new Uint8Array(0))).toBe('');
    expect(writeBase64(bytes, '//8A', 1)).toBe(3);
    expect([...bytes.subarray(1, 4)]).toEqual([255, 255, 0]);
  });

  test('write no further than there is room, and no half of a character', async () => {
    const { writeUtf8, writeLatin1 } = await load(hasInternals);
    const bytes = new Uint8Array(8);
    expect(writeUtf8(bytes.subarray(0, 6), 'ab€€', 0)).toBe(5);
    expect([...bytes.subarray(5)]).toEqual([0, 0, 0]);
    expect(writeLatin1(bytes.subarray(0, 6), 'abcd', 4)).toBe(2);
    expect([...bytes.subarray(6)]).toEqual([0, 0]);
  });
});

test('bytes whose buffer was transferred are told from those that are empty', async () => {
  const { isTransferred } = await load(true);
  const bytes = new Uint8Array(4);
  expect([bytes, new Uint8Array(0), bytes.subarray(4)].map(isTransferred)).toEqual([false, false, false]);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  expect(isTransferred(bytes)).toBe(true);
});
