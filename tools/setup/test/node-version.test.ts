import { expect, test } from 'vitest';
import { requireNode } from '../node-version.mjs';

test('Node from 20.19 on is taken', () => {
  for (const version of ['20.19.0', '20.20.2', '22.0.0', '24.1.0']) expect(() => requireNode(version)).not.toThrow();
});

test('an older Node is refused by name', () => {
  for (const version of ['18.20.0', '20.18.3']) expect(() => requireNode(version)).toThrow(version);
});
