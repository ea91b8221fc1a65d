import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPluginsPeer, findGoMicroPlugins } from './go-micro-plugins.ts';
import { makeV6Module } from './go-micro-v6.ts';

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
  /** Whether it runs on etcd, RabbitMQ and Kafka, and not on NATS. */
  readonly isWithoutNats?: boolean;
}

const published: readonly Generation[] = [
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

const v6: Generation = {
  name: 'v6',
  title: 'v6 (a checkout)',
  querySubject: 'micro.nats.query',
  watchSubject: 'micro.nats.watch',
  idHeader: 'Micro-ID',
};

const plugins: Generation = {
  name: 'plugins',
  title: 'v4.11.0 on etcd, RabbitMQ, Kafka',
  querySubject: '',
  watchSubject: '',
  idHeader: 'Micro-ID',
  isWithoutNats: true,
};

/** A checkout of Go Micro's repository, which has v6: `GO_MICRO_V6`. */
const checkout = process.env.GO_MICRO_V6;
const pluginsCheckout = findGoMicroPlugins();

/** The generations at hand, oldest first. */
export const generations: readonly Generation[] = [
  ...published,
  ...(checkout === undefined ? [] : [v6]),
  ...(pluginsCheckout === undefined ? [] : [plugins]),
];

/** This workspace, seen from the built program in `dist`. */
export const folder: URL = new URL('../', import.meta.url);

/** Where Go is: `GO_BIN`, on PATH, or in its customary place; undefined where it is nowhere. */
export function findGo(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const candidates = [environment.GO_BIN ?? '', 'go', '/usr/local/go/bin/go'];
  return candidates.find((go) => go !== '' && spawnSync(go, ['version']).status === 0);
}

/**
 * Builds the peer of one generation, which is quick where nothing has changed, and returns its path. Throws with Go's
 * own words.
 */
export function buildPeer(go: string, generation: Generation): string {
  const cache = fileURLToPath(new URL('.cache/', folder));
  mkdirSync(cache, { recursive: true });
  const binary = `${cache}peer-${generation.name}`;
  const sources = fileURLToPath(new URL('go/', folder));
  if (generation.isWithoutNats) return buildPluginsPeer(go, pluginsCheckout ?? '', sources, cache);
  const cwd =
    generation === v6 ? makeV6Module(go, resolve(checkout ?? ''), sources, cache) : join(sources, generation.name);
  if (!existsSync(cwd)) throw new Error(`no Go program in ${cwd}`);
  const result = spawnSync(go, ['build', '-trimpath', '-o', binary, '.'], { cwd, encoding: 'utf8' });
  if (result.status !== 0)
    throw new Error(`go build of ${generation.name} failed: ${result.stderr.trim().slice(-600)}`);
  return binary;
}
