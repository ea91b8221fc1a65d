import { checkSubject } from '@ts-micro/nats';
import { expect, test } from 'vitest';
import { sharedSubjects, subjectsByName, tokenOf } from '../src/subjects/subject-plan.ts';

const names = [
  'greeter',
  'go.micro.srv.greeter',
  'go%2Emicro',
  'a b',
  'a\tb\r\n',
  '*',
  '>',
  '$SYS',
  'a,b',
  '.',
  '..',
  '%',
  '~',
  'grüße',
  '服务',
  '😀',
  '__proto__',
  'Greeter',
];

test('a name makes one token of a subject, unlike that of any other', () => {
  const tokens = names.map(tokenOf);
  expect(new Set(tokens).size).toBe(names.length);
  for (const token of tokens) {
    expect(token).not.toMatch(/[.*>\s,]/);
    checkSubject(`base.${token}`, 'test');
  }
  expect(tokens.map(decodeURIComponent)).toEqual(names);
});

test('a name of any length, or without a UTF-8 form, makes a token', () => {
  for (const name of ['x'.repeat(100_000), '.'.repeat(300), '\ud800']) {
    expect(tokenOf(name).length).toBeLessThanOrEqual(255);
    checkSubject(`base.${tokenOf(name)}`, 'test');
  }
  expect(tokenOf('x'.repeat(1000))).not.toBe(tokenOf('x'.repeat(1001)));
});

test('subjects by name lie below the others', () => {
  const plan = subjectsByName(['q', 'r'], ['w']);
  expect(plan.asked(undefined)).toEqual(['q', 'r']);
  expect(plan.asked('a.b')).toEqual(['q.a%2Eb', 'r.a%2Eb']);
  expect(plan.announced('a.b')).toEqual(['w.a%2Eb']);
  expect(plan.watched('a.b')).toEqual(['w.a%2Eb']);
  expect(plan.watched(undefined)).toEqual(['w.*']);
});

test('shared subjects are the same for every name', () => {
  const plan = sharedSubjects(['q', 'r'], ['w']);
  for (const name of [undefined, 'a', 'b.c']) {
    expect(plan.asked(name)).toEqual(['q', 'r']);
    expect(plan.watched(name)).toEqual(['w']);
  }
  expect(plan.announced('a')).toEqual(['w']);
});
