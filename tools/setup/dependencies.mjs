import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { root, runPnpm } from './program.mjs';

const stampFile = `${root}node_modules/.installed-for`;

/** Installs what pnpm-lock.yaml lists, unless that was done already. */
export function installDependencies() {
  const hash = createHash('sha256');
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(root + file));
  const wanted = `${hash.digest('hex')} node-${process.versions.modules} ${process.platform}-${process.arch}\n`;
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return;
  console.log('setup: installing dependencies');
  if (runPnpm(['install', '--frozen-lockfile']) !== 0) throw new Error('pnpm install failed');
  writeFileSync(stampFile, wanted);
}
