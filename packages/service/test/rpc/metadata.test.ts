import { checkHeaders } from '@ts-micro/core';
import { describe, expect, it } from 'vitest';
import { metadataOf, propagatedMetadata } from '../../src/rpc/metadata.ts';
import { golden } from './golden.ts';

describe('metadata', () => {
  it('of a bare request is empty', () => {
    for (const name of ['T1', 'T2', 'S1', 'S2', 'E1', 'V1']) expect(metadataOf(golden(name).headers)).toEqual({});
  });

  it('keeps what belongs to the conversation, in any case', () => {
    const headers = {
      ...golden('S1').headers,
      'X-Tenant': 'a',
      Authorization: 'b',
      'Micro-Trace-Id': 'c',
      'Micro-Span-ID': 'd',
      'Micro-Namespace': 'e',
      'micro-stream': '3',
      'X-Micro-Topic': 't',
      connection: 'close',
      Local: 'l',
      Remote: 'r',
    };
    const expected = {
      'X-Tenant': 'a',
      Authorization: 'b',
      'Micro-Trace-Id': 'c',
      'Micro-Span-ID': 'd',
      'Micro-Namespace': 'e',
    };
    expect(metadataOf(headers)).toEqual(expected);
    expect(propagatedMetadata(headers)).toEqual(expected);
  });

  it('shows who called but does not pass it on', () => {
    expect(metadataOf({ 'Micro-From-Service': 'a' })).toEqual({ 'Micro-From-Service': 'a' });
    expect(propagatedMetadata({ 'Micro-From-Service': 'a' })).toEqual({});
  });

  it('is passed on in a form that can be sent', () => {
    const passed = propagatedMetadata({ 'X-A': ' a\r\nb ', 'no token': 'c', '': 'd', 'X-Ok': '' });
    expect(passed).toEqual({ 'X-A': 'a b', 'X-Ok': '' });
    expect(() => checkHeaders(passed, 'test')).not.toThrow();
  });

  it('named __proto__ and constructor is plain metadata', () => {
    const headers = JSON.parse('{"__proto__":"a","constructor":"b"}') as Record<string, string>;
    expect(Object.entries(metadataOf(headers))).toEqual(Object.entries(headers));
  });
});
