import { join } from 'node:path';
import { expect, test } from 'vitest';
import { brokenLinks, brokenNames, brokenUrls, findLinkProblems } from '../links.mjs';

const root = join(import.meta.dirname, '../../..');
const pages: Readonly<Record<string, string>> = {
  'docs/guide.md': '# Guide\n\n## A `broker`, first\n\n## Twice\n\n## Twice\n',
  'packages/a/src': '',
};
const read = (path: string) => pages[path];

test('every link of the repository, and of what is installed from it, is to something that is there', async () => {
  expect(await findLinkProblems(root)).toEqual([]);
});

test.each([
  ['[a](guide.md)', []],
  ['[a](guide.md#a-broker-first)', []],
  ['[a](guide.md#twice-1)', []],
  ['[a](../packages/a/src)', []],
  ['[a](https://nats.io/none)', []],
  ['`[a](none.md)`', []],
  ['```\n[a](none.md)\n```', []],
  ['# Here\n[a](#here)', []],
  ['[a](none.md)', ['docs/page.md: links to none.md, which is not there']],
  ['[a]: none.md', ['docs/page.md: links to none.md, which is not there']],
  ['[a](guide.md#none)', ['docs/page.md: links to guide.md#none, and there is no such heading']],
  ['[a](guide.md#twice-2)', ['docs/page.md: links to guide.md#twice-2, and there is no such heading']],
  ['[a](#here)', ['docs/page.md: links to #here, and there is no such heading']],
])('%j links to what is there, or says what is not', (text, problems) => {
  expect(brokenLinks('docs/page.md', text, read)).toEqual(problems);
});

test.each([
  ['blob/main/docs/guide.md', []],
  ['blob/main/docs/guide.md#twice', []],
  ['tree/main/packages/a/src', []],
  ['blob/main/docs/none.md', ['links to https://github.com/ts-micro/ts-micro/…/docs/none.md, which is not there']],
  [
    'blob/main/docs/guide.md#none',
    ['links to https://github.com/ts-micro/ts-micro/…/docs/guide.md#none, and there is no such heading'],
  ],
])('a URL of %s is held to the repository', (path, problems) => {
  const text = `See (https://github.com/ts-micro/ts-micro/${path}).`;
  expect(brokenUrls('README.md', text, read)).toEqual(problems.map((problem) => `README.md: ${problem}`));
});

test.each([
  ['`packages/a/test/one.test.ts`', []],
  ['`one.test.ts`, after another', []],
  ['`packages/*/test/one.test.ts`', []],
  ['`packages/b/test/one.test.ts`', ['docs/page.md: names packages/b/test/one.test.ts, which is not there']],
  ['`ne.test.ts`', ['docs/page.md: names ne.test.ts, which is not there']],
])('%j names tests that are there, or it is said which are not', (text, problems) => {
  expect(brokenNames('docs/page.md', text, ['packages/a/test/one.test.ts'])).toEqual(problems);
});
