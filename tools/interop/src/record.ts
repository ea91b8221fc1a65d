import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { recordGeneration } from './captures/record-generation.ts';
import { buildPeer, findGo, generations } from './generation.ts';

const captures = fileURLToPath(new URL('../captures/', import.meta.url));
const wanted = process.argv.slice(2);

const go = findGo();
if (go === undefined) throw new Error('recording needs Go: put it on PATH or name it in GO_BIN');
mkdirSync(captures, { recursive: true });
for (const generation of generations) {
  if (wanted.length > 0 && !wanted.includes(generation.name)) continue;
  const recorded = await recordGeneration(generation, buildPeer(go, generation));
  writeFileSync(`${captures}${generation.name}.json`, `${JSON.stringify(recorded, null, 2)}\n`);
  console.log(`${generation.name}: ${recorded.captures.length} captures`);
}
