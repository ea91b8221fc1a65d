import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('the program shows two regions that live on without each other, and leaves nothing behind', async () => {
  const program = fileURLToPath(new URL('../dist/regions.js', import.meta.url));
  if (!existsSync(program))
    throw new Error(`${program} is not built; npm test builds it first, npm run build does it alone`);
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(output).toContain('a call in the north: unavailable');
  expect(output).toMatch(/\nEach region lived on without the other\.\n$/);
}, 90_000);
