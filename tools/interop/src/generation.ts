import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** One version of Go Micro that a peer program exists for. */
export interface Generation {
  /** The folder under `go/`. */
  readonly name: string;
  /** What heads its column. */
  readonly title: string;
  /** The subjects its registry asks and announces on. */
  readonly querySubject: string;
  readonly watchSubject: string;
  /** How it spells the request id header. */
  readonly idHeader: string;
}

/** The generations, oldest first. */
export const generations: readonly Generation[] = [
  {
    name: 'v2',
    title: 'v2.9.1',
    querySubject: 'micro.registry.nats.query',
    watchSubject: 'micro.registry.nats.watch',
    idHeader: 'Micro-Id',
  },
  {
    name: 'v4',
    title: 'v4.11.0',
    querySubject: 'micro.registry.nats.query',
    watchSubject: 'micro.registry.nats.watch',
    idHeader: 'Micro-ID',
  },
  {
    name: 'v5',
    title: 'v5.30.0',
    querySubject: 'micro.nats.query',
    watchSubject: 'micro.nats.watch',
    idHeader: 'Micro-ID',
  },
];

const folder = new URL('../', import.meta.url);

/** Where Go is: `GO_BIN`, on PATH, or in its customary place; undefined where it is nowhere. */
export function findGo(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const candidates = [environment.GO_BIN ?? '', 'go', '/usr/local/go/bin/go'];
  return candidates.find((go) => go !== '' && spawnSync(go, ['version']).status === 0);
}

/** Builds the peer of one generation, which is quick where nothing has changed, and returns its path. Throws with Go's own words. */
export function buildPeer(go: string, generation: Generation): string {
  const cache = fileURLToPath(new URL('.cache/', folder));
  mkdirSync(cache, { recursive: true });
  const binary = `${cache}peer-${generation.name}`;
  const cwd = fileURLToPath(new URL(`go/${generation.name}/`, folder));
  if (!existsSync(cwd)) throw new Error(`no Go program in ${cwd}`);
  const result = spawnSync(go, ['build', '-trimpath', '-o', binary, '.'], { cwd, encoding: 'utf8' });
  if (result.status !== 0)
    throw new Error(`go build of ${generation.name} failed: ${result.stderr.trim().slice(-600)}`);
  return binary;
}
