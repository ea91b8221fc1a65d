import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runGo } from './run-go.ts';

const variable = 'GO_MICRO_PLUGINS';
const module = 'github.com/go-micro/plugins/v4';
/** Those that the public module proxies do not serve. */
const plugins = ['broker/kafka', 'registry/etcd', 'transport/rabbitmq'];

/** A checkout of github.com/go-micro/plugins, which `GO_MICRO_PLUGINS` names; undefined where it names none. */
export function findGoMicroPlugins(): string | undefined {
  const checkout = process.env[variable];
  return checkout === undefined || checkout === '' ? undefined : resolve(checkout);
}

/**
 * Builds the peer of v4 in `cache` with the plugins for etcd, RabbitMQ and Kafka, by a `replace` onto a checkout, and
 * returns its path. Throws with Go's own words.
 */
export function buildPluginsPeer(go: string, checkout: string, sources: string, cache: string): string {
  const missing = plugins.find((plugin) => !existsSync(join(checkout, 'v4', plugin, 'go.mod')));
  if (missing !== undefined) throw new Error(`${variable}: there is no v4/${missing} in ${checkout}`);
  const parent = join(cache, 'plugins-module');
  const folder = join(parent, 'v4');
  rmSync(parent, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(join(sources, 'peer'), join(parent, 'peer'), { recursive: true });
  for (const file of readdirSync(join(sources, 'v4')).filter((name) => name.endsWith('.go')))
    cpSync(join(sources, 'v4', file), join(folder, file));
  cpSync(join(sources, 'plugins', 'plugins.go'), join(folder, 'plugins.go'));
  const goMod = readFileSync(join(sources, 'v4', 'go.mod'), 'utf8')
    .split('\n')
    .filter((line) => !line.includes('// indirect'))
    .join('\n');
  writeFileSync(join(folder, 'go.mod'), goMod);
  for (const plugin of plugins) {
    const name = `${module}/${plugin}`;
    const edits = [`-replace=${name}=${join(checkout, 'v4', plugin)}`, `-require=${name}@v1.2.0`];
    runGo(go, ['mod', 'edit', ...edits], folder);
  }
  runGo(go, ['mod', 'tidy'], folder);
  const binary = join(cache, 'peer-plugins');
  runGo(go, ['build', '-trimpath', '-o', binary, '.'], folder);
  return binary;
}
