import { expect, test } from 'vitest';
import { errorOfAnswer } from '../src/etcd-error.ts';

test.each([
  [400, { code: 3, message: 'etcdserver: request is too large' }, 'too_large'],
  [429, { code: 8, message: 'grpc: received message larger than max (2500008 vs. 2097152)' }, 'too_large'],
  [429, { code: 8, message: 'etcdserver: mvcc: database space exceeded' }, 'unavailable'],
  [429, { code: 8, message: 'etcdserver: too many requests' }, 'unavailable'],
  [400, { code: 3, message: 'etcdserver: key is not provided' }, 'invalid'],
  [400, { code: 3, message: 'etcdserver: authentication failed, invalid user ID or password' }, 'unauthorized'],
  [403, { code: 7, message: 'etcdserver: permission denied' }, 'unauthorized'],
  [503, { code: 14, message: 'etcdserver: no leader' }, 'unavailable'],
])('status %i with %j is %s', (status, answer, code) => {
  const error = errorOfAnswer('/v3/kv/txn', status, JSON.stringify(answer));
  expect(error).toMatchObject({ code, message: expect.stringContaining(answer.message) });
});

test('what is no answer of etcd is unavailable', () => {
  expect(errorOfAnswer('/v3/kv/txn', 502, '<html>')).toMatchObject({ code: 'unavailable' });
});
