import { nearest } from '@ts-micro/kit';
import { describe, expect, test } from 'vitest';

const names = ['registry', 'registry_address', 'broker'];

describe('the nearest name', () => {
  test('is the one with the fewest edits, in any case', () => {
    expect(nearest('regsitry', names)).toBe('registry');
    expect(nearest('BROKER_', names)).toBe('broker');
    expect(nearest('registry_adress', ['Registry_Address'])).toBe('Registry_Address');
  });

  test('is none beyond the most edits that may be made', () => {
    expect(nearest('brkr', names, 2)).toBe('broker');
    expect(nearest('brkr', names, 1)).toBeUndefined();
    expect(nearest('anything', [])).toBeUndefined();
  });

  test('is none where a text is longer than a name would be', () => {
    expect(nearest('r'.repeat(65), names)).toBeUndefined();
    expect(nearest('r', ['r'.repeat(65)])).toBeUndefined();
    expect(nearest('r'.repeat(64), ['r'.repeat(63)])).toBe('r'.repeat(63));
  });
});
