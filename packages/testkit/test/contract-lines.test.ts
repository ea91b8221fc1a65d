import { readdir, readFile } from 'node:fs/promises';
import { brokerContract, registryContract, transportContract } from '@ts-micro/testkit';
import { expect, test } from 'vitest';

const cases = [
  ...transportContract({ name: 'none', open: () => never() }).cases,
  ...brokerContract({ name: 'none', open: () => never() }).cases,
  ...registryContract({ name: 'none', open: () => never() }).cases,
];

test("every line of a contract in core's doc comments has a case, and every case is such a line", async () => {
  const lines = await contractLines();
  const closables = [...new Set(cases.map(({ subject }) => subject))];
  const promised = lines.flatMap(({ subject, title }) => {
    if (subject !== 'Closable') return [`${subject}: ${title}`];
    return closables
      .filter((closable) => !isAboutMethods(title) || closable !== 'Subscriber')
      .map((closable) => `${closable}: ${title}`);
  });
  const tested = cases.map(({ subject, title }) => `${subject}: ${title}`);
  expect({
    'lines without a case': promised.filter((line) => !tested.includes(line)),
    'cases without a line': tested.filter((line) => !promised.includes(line)),
    'lines or cases that are there twice': [promised, tested].flatMap((all) =>
      all.filter((line, index) => all.indexOf(line) !== index),
    ),
  }).toEqual({ 'lines without a case': [], 'cases without a line': [], 'lines or cases that are there twice': [] });
});

test('the lines are found at all', async () => {
  const lines = await contractLines();
  expect([...new Set(lines.map(({ subject }) => subject))].sort()).toEqual([
    'Broker',
    'Closable',
    'Listener',
    'Registry',
    'Socket',
    'Subscriber',
    'Transport',
    'Watcher',
  ]);
  expect(lines.length).toBeGreaterThan(100);
});

test('an id is stable text: the interface, a slash and a slug, each once', () => {
  const ids = cases.map(({ id }) => id);
  for (const id of ids) expect(id).toMatch(/^(transport|broker|registry)\/[a-z]+(-[a-z]+)*$/);
  expect(new Set(ids).size).toBe(ids.length);
});

/**
 * The items of every list headed `Contract` or `Outage contract` in a doc comment, with the interface that follows it.
 */
async function contractLines(): Promise<{ subject: string; title: string }[]> {
  const folder = new URL('./src/', import.meta.resolve('@ts-micro/core/package.json'));
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts'));
  const sources = await Promise.all(files.map((file) => readFile(new URL(file, folder), 'utf8')));
  return sources.flatMap((source) =>
    [...source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export interface (\w+)/g)].flatMap(
      ([, comment = '', subject = '']) => listItems(comment).map((title) => ({ subject, title })),
    ),
  );
}

function listItems(comment: string): string[] {
  const items: string[] = [];
  let isInList = false;
  for (const line of comment.split('\n').map((text) => text.replace(/^\s*\* ?/, '').trim())) {
    if (/^(Outage c|C)ontract.*:$/.test(line)) isInList = true;
    else if (line === '') isInList = false;
    else if (isInList && line.startsWith('- ')) items.push(line.slice(2));
    else if (isInList) throw new Error(`a line of a contract that is no item: ${line}`);
  }
  return items;
}

/** Lines that say something of each method; a subscriber has none. */
function isAboutMethods(title: string): boolean {
  return /\b(method|methods|call|calls)\b/.test(title);
}

function never(): never {
  throw new Error('nothing is opened here');
}
