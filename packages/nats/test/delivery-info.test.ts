import { deliveryInfoOf } from '@ts-micro/nats';
import { expect, test } from 'vitest';

const told = {
  consumer: 'C',
  delivery: 1,
  streamSequence: 2,
  consumerSequence: 3,
  storedAtMs: 1_795_998_300_305,
  pending: 5,
};

test.each([
  [undefined, undefined],
  ['_INBOX.a.b', undefined],
  ['$JS.ACK.S.C.x.2.3.4.5', undefined],
  ['$JS.ACK.S.C.1.2.3.soon.5', undefined],
  ['$JS.ACK.S.C.1.2..1795998300305000000.5', undefined],
  ['$JS.ACK.S.C.1.2.3.1795998300305000000.', undefined],
  ['$JS.ACK.S.C.1.2.99999999999999999999.1795998300305000000.5', undefined],
  ['$JS.ACK.S.C.1.2.3.1795998300305000000', undefined],
  [`$JS.ACK.${'.'.repeat(1000)}`, undefined],
  ['$JS.ACK.S.C.1.2.3.1795998300305000000.5', told],
  ['$JS.ACK._.hash.S.C.1.2.3.1795998300305000000.5.token', told],
])('the reply subject %s tells %o', (reply, info) => {
  expect(deliveryInfoOf(reply)).toEqual(info);
});
