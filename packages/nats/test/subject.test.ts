import { MicroError } from '@ts-micro/core';
import { checkQueue, checkSubject } from '@ts-micro/nats';
import { describe, expect, test } from 'vitest';
import { thrownBy } from './thrown-by.ts';

const who = 'nats broker: topic';

describe('checkSubject', () => {
  for (const subject of ['a', 'a.b.c', '_INBOX.abc', '$SRV.PING', 'a:b/c-d', 'ü.ö', 'x'.repeat(1000)]) {
    test(`takes ${subject.slice(0, 20)}`, () => {
      expect(() => checkSubject(subject, who)).not.toThrow();
      expect(() => checkSubject(subject, who)).not.toThrow();
    });
  }

  for (const [subject, fault] of [
    ['', 'is empty'],
    ['a b', 'contains a space'],
    ['a\tb', 'contains white space or a control character'],
    ['a\r\nPUB x 0\r\n', 'contains'],
    ['a\u0000', 'contains white space or a control character'],
    ['a\u00a0b', 'contains white space or a control character'],
    ['.a', 'has an empty token'],
    ['a.', 'has an empty token'],
    ['a..b', 'has an empty token'],
    ['a.*', 'contains a wildcard'],
    ['>', 'contains a wildcard'],
    ['a*b', 'contains a wildcard'],
    ['x'.repeat(1001), 'is longer than 1000 bytes'],
    ['ü'.repeat(501), 'is longer than 1000 bytes'],
  ] as const) {
    test(`refuses ${JSON.stringify(subject.slice(0, 20))}`, () => {
      const error = thrownBy(() => checkSubject(subject, who));
      expect(MicroError.is(error, 'invalid')).toBe(true);
      expect(String(error)).toContain(fault);
      expect(String(error)).toContain(who);
    });
  }

  test('takes wildcards where they are allowed', () => {
    for (const subject of ['*', '>', 'a.*', 'a.*.c', 'a.>', '*.*.>']) {
      expect(() => checkSubject(subject, who, { wildcards: true })).not.toThrow();
    }
  });

  test('refuses misplaced wildcards also where they are allowed', () => {
    for (const subject of ['a*', '*a', 'a.>.b', '>.a', 'a.b>', '**']) {
      expect(
        MicroError.is(
          thrownBy(() => checkSubject(subject, who, { wildcards: true })),
          'invalid',
        ),
      ).toBe(true);
    }
  });

  test('does not take a pattern for a subject because it was taken as a pattern before', () => {
    checkSubject('seen.*', who, { wildcards: true });
    expect(
      MicroError.is(
        thrownBy(() => checkSubject('seen.*', who)),
        'invalid',
      ),
    ).toBe(true);
  });

  test('refuses what is not a text', () => {
    expect(
      MicroError.is(
        thrownBy(() => checkSubject(7 as unknown as string, who)),
        'invalid',
      ),
    ).toBe(true);
  });

  test('still tells after more subjects than it remembers', () => {
    for (let index = 0; index < 10_000; index++) checkSubject(`many.${index}`, who);
    expect(() => checkSubject('many.1', who)).not.toThrow();
    expect(
      MicroError.is(
        thrownBy(() => checkSubject('many. 1', who)),
        'invalid',
      ),
    ).toBe(true);
  });
});

describe('checkQueue', () => {
  test('takes names and refuses what cannot be one', () => {
    expect(() => checkQueue('greeter-v1', 'nats broker')).not.toThrow();
    for (const queue of ['', 'a b', 'a\n', '*', 'a.>']) {
      const error = thrownBy(() => checkQueue(queue, 'nats broker'));
      expect(MicroError.is(error, 'invalid')).toBe(true);
      expect(String(error)).toContain('nats broker: queue');
    }
  });
});
