import { expect, test } from 'vitest';
import { snippetsOf } from '../snippets.mjs';

test('a snippet is a ts block, with the line its code begins on', () => {
  const markdown = '# Title\n\n```sh\nls\n```\n\n```ts\nconst a = 1;\n```\n';
  expect(snippetsOf(markdown)).toEqual([{ line: 8, code: 'const a = 1;\n', file: 'line-8.ts' }]);
});

test('a block can name its file', () => {
  expect(snippetsOf('```ts src/broker.ts\nexport {};\n```\n')).toMatchObject([{ file: 'src/broker.ts' }]);
});
