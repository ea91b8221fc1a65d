import { registerPlugin } from '@ts-micro/core';
import { memoryBroker, memoryRegistry, memoryTransport } from '@ts-micro/memory';
import { expect, it } from 'vitest';
import { fromFlags } from '../../src/flags/from-flags.ts';

it('asks for a plugin by name where memory is not imported', () => {
  expect(() => fromFlags([], {})).toThrow(
    expect.objectContaining({
      code: 'invalid',
      message:
        "flags: no transport is chosen; give --transport or MICRO_TRANSPORT (none is known; import a plugin's /register entry first)",
    }),
  );
  registerPlugin('transport', 'one', () => memoryTransport());
  registerPlugin('registry', 'one', () => memoryRegistry());
  registerPlugin('registry', 'two', () => memoryRegistry());
  registerPlugin('broker', 'one', () => memoryBroker());
  expect(() => fromFlags(['--transport=one', '--broker=one'], {})).toThrow(
    'flags: no registry is chosen; give --registry or MICRO_REGISTRY (known: one, two)',
  );
});
