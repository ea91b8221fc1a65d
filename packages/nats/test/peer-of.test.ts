import { describe, expect, test } from 'vitest';
import { peerOf } from '../src/intake/peer-of.ts';

describe('the peer of a reply subject', () => {
  test.each([
    ['_INBOX.Zp3kVbRrT0aQzeKichEkAB.S53FBPfXeY6oT0aQzeKich', '_INBOX.Zp3kVbRrT0aQzeKichEkAB', 'of a ts-micro process'],
    ['_INBOX.attacker.12', '_INBOX.attacker', 'of any other client'],
    ['_INBOX.VDYGTC1Q2OWGKB9XZXZXZ1', '_INBOX.VDYGTC1Q2OWG', 'of a Go Micro process'],
    ['_INBOX.VDYGTC1Q2OWGKB9XZXZXZ2', '_INBOX.VDYGTC1Q2OWG', 'of the same process'],
    ['reply.a', 'reply', 'with a short token'],
    ['reply', '', 'without a separator'],
    ['', '', 'that was not given'],
  ])('%s is %s: %s', (subject, peer) => {
    expect(peerOf(subject)).toBe(peer);
  });
});
