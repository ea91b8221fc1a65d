import { PluginSettings } from '@ts-micro/kit';
import { expect, test } from 'vitest';

const settings = new PluginSettings('test broker', { count: '3', age: '1m30s', on: 'TRUE', off: '0', name: 'x' });

test('settings are read as what they are, and are undefined where they are not given', () => {
  expect(settings.text('name')).toBe('x');
  expect(settings.whole('count')).toBe(3);
  expect(settings.milliseconds('age')).toBe(90_000);
  expect([settings.boolean('on'), settings.boolean('off')]).toEqual([true, false]);
  for (const read of ['text', 'whole', 'milliseconds', 'boolean'] as const) {
    expect(settings[read]('absent')).toBe(undefined);
  }
});

test.each(['whole', 'milliseconds', 'boolean'] as const)('a setting that is no %s is invalid, by its name', (read) => {
  expect(() => settings[read]('name')).toThrow(
    expect.objectContaining({ code: 'invalid', message: expect.stringContaining('test broker: setting name is "x"') }),
  );
});
