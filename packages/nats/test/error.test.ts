import { errors } from '@nats-io/transport-node';
import { type ErrorCode, MicroError } from '@ts-micro/core';
import { mapNatsError } from '@ts-micro/nats';
import { ErrorCode as NatsCode, NatsError } from 'nats';
import { describe, expect, test } from 'vitest';

const noResponders = new errors.NoRespondersError('greeter');

const cases: readonly (readonly [string, unknown, ErrorCode])[] = [
  ['no responders of 2.x', NatsError.errorForCode(NatsCode.NoResponders), 'unavailable'],
  ['no responders of 3.x', noResponders, 'unavailable'],
  ['a request error of 3.x about it', new errors.RequestError('request', { cause: noResponders }), 'unavailable'],
  ['a timeout of 2.x', NatsError.errorForCode(NatsCode.Timeout), 'timeout'],
  ['a timeout of 3.x', new errors.TimeoutError(), 'timeout'],
  ['closed of 2.x', NatsError.errorForCode(NatsCode.ConnectionClosed), 'closed'],
  ['closed of 3.x', new errors.ClosedConnectionError(), 'closed'],
  ['draining of 2.x', NatsError.errorForCode(NatsCode.ConnectionDraining), 'closed'],
  ['draining of 3.x', new errors.DrainingConnectionError(), 'closed'],
  ['disconnected of 2.x', NatsError.errorForCode(NatsCode.Disconnect), 'unavailable'],
  ['disconnected of 3.x', new errors.RequestError('connection disconnected'), 'unavailable'],
  ['refused of 2.x', NatsError.errorForCode(NatsCode.ConnectionRefused), 'unavailable'],
  ['a connection error of 3.x', new errors.ConnectionError('connection refused'), 'unavailable'],
  ['too large of 2.x', NatsError.errorForCode(NatsCode.MaxPayloadExceeded), 'too_large'],
  ['too large of 3.x', new errors.InvalidArgumentError("'payload' max_payload size exceeded"), 'too_large'],
  ['headers too large for JetStream', new Error('header size exceeds maximum allowed of 64k'), 'too_large'],
  ['a bad subject of 2.x', NatsError.errorForCode(NatsCode.BadSubject), 'invalid'],
  ['a bad subject of 3.x', new errors.InvalidSubjectError('a b'), 'invalid'],
  ['an invalid subject the server found', new NatsError("'Invalid Subject'", NatsCode.ProtocolError), 'invalid'],
  ['a permission of 2.x', new NatsError('Permissions Violation', NatsCode.PermissionsViolation), 'unauthorized'],
  ['a permission of 3.x', new errors.PermissionViolationError('no', 'publish', 'a'), 'unauthorized'],
  ['refused credentials of 2.x', new NatsError('no', NatsCode.AuthorizationViolation), 'unauthorized'],
  ['refused credentials of 3.x', new errors.AuthorizationError('no'), 'unauthorized'],
  ['expired credentials of 2.x', new NatsError('no', NatsCode.AuthenticationExpired), 'unauthorized'],
  ['expired credentials of 3.x', new errors.UserAuthenticationExpiredError('no'), 'unauthorized'],
  ['an option the server lacks', new NatsError('tls', NatsCode.ServerOptionNotAvailable), 'unsupported'],
  ['credentials that do not parse', NatsError.errorForCode(NatsCode.BadCreds), 'invalid'],
  ['a socket error', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }), 'unavailable'],
  ['a name that is not found', Object.assign(new Error('x'), { code: 'ENOTFOUND', syscall: 'x' }), 'unavailable'],
  ['anything else', new TypeError('x is not a function'), 'internal'],
  ['a text', 'boom', 'internal'],
  ['nothing', undefined, 'internal'],
];

describe('mapNatsError', () => {
  for (const [name, error, code] of cases) {
    test(`maps ${name} to ${code}`, () => {
      const mapped = mapNatsError(error, 'nats: doing it');
      expect(mapped.code).toBe(code);
      expect(mapped.cause).toBe(error);
      expect(mapped.message).toMatch(/^nats: doing it: ./);
    });
  }

  test('calls only no responders safe to retry', () => {
    const safe = cases.filter(([, error]) => mapNatsError(error, 'nats').retrySafe).map(([name]) => name);
    expect(safe).toEqual(['no responders of 2.x', 'no responders of 3.x', 'a request error of 3.x about it']);
  });

  test('leaves our own errors as they are', () => {
    const error = new MicroError('conflict', 'nats: it is in use');
    expect(mapNatsError(error, 'nats: doing it')).toBe(error);
  });
});
