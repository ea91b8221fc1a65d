import { describe, expect, it } from 'vitest';
import { defineService, type Schema, typedClient, unary } from '../src/index.ts';
import { rejection } from './world.ts';

/** How a client refuses a request whose validator finds `issues`. */
async function refusal(vendor: string, issues: unknown, value: unknown): Promise<Error> {
  const request = { '~standard': { version: 1, vendor, validate: () => ({ issues }) } } as unknown as Schema;
  const definition = defineService({ name: 'a', endpoints: { 'A.B': unary({ request, response: request }) } });
  const { A } = typedClient({} as never, definition);
  return rejection(A.B(value));
}

async function words(vendor: string, issues: unknown, value: unknown): Promise<string> {
  return (await refusal(vendor, issues, value)).message.replace('client: a A.B: the request does not fit: ', '');
}

describe('the words for what does not fit', () => {
  it('have no value that effect before its version 4 quotes', async () => {
    const issues = [
      { path: ['name'], message: 'Expected string, actual 12345' },
      { path: ['home'], message: 'Expected string, actual {"street":"secret"}' },
      { path: [], message: 'Expected { readonly name: string }, actual ["secret", "other"]' },
    ];
    expect(await words('effect', issues, { name: 12_345, home: { street: 'secret' } })).toBe(
      'name: Expected string; home: Expected string; value: Expected { readonly name: string }',
    );
  });

  it('have the path by its segments too', async () => {
    const issues = [{ path: [{ key: 'items' }, 2, { key: 'a b' }], message: 'is wrong' }];
    expect(await words('other', issues, {})).toBe('items[2]["a b"]: is wrong');
  });

  it('are those of ten issues at the most', async () => {
    const issues = Array.from({ length: 12 }, (_, n) => ({ path: [n], message: 'is wrong' }));
    const text = await words('other', issues, []);
    expect(text.match(/is wrong/g)).toHaveLength(10);
    expect(text).toMatch(/; and 2 more$/);
  });

  it('stand for issues that are none as well', async () => {
    for (const issues of [[null], [{}], [{ message: 1 }], [{ message: 'x', path: [null] }], 'text']) {
      expect(await refusal('other', issues, { a: 1 })).toMatchObject({ code: 'invalid' });
    }
  });
});
