import '@ts-micro/memory/register';
import { type FuzzTarget, fuzz } from '@ts-micro-tools/fuzz';
import { test } from 'vitest';
import { knownFlags } from '../../src/flags/known-flags.ts';
import { readFlags } from '../../src/flags/read-flags.ts';
import { serverTexts } from '../../src/flags/server-texts.ts';

const bytes = (...texts: readonly string[]) => texts.map((text) => new Uint8Array(Buffer.from(text)));

const targets: readonly FuzzTarget[] = [
  {
    // Arguments with zeros between them, as the system has them.
    name: 'flags',
    codes: ['invalid'],
    samples: bytes('--registry=memory\0--server_name\0a', '--server_metadata=a=b\0-v\0--\0x', '--client_retries\x002'),
    decode(payload) {
      const argv = Buffer.from(payload).toString().split('\0');
      // No random file is read.
      if (argv.some((argument) => /file/i.test(argument))) return [];
      return readFlags(knownFlags(), argv, { MICRO_REGISTRY: argv[0], MICRO_SERVER_NAME: argv[1] });
    },
  },
  {
    name: 'flag-servers',
    codes: [],
    samples: bytes('a,b:4222', 'nats://u:p,q@a:1,tls://[::1]:2', '::1,fe80::1', 'u:p@h'),
    decode: (payload) => serverTexts(Buffer.from(payload).toString()),
  },
];

test.each(targets)('$name: whatever is given, the invariants hold', (target) => fuzz(target));
