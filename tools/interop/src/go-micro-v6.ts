import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runGo } from './run-go.ts';

/**
 * Makes the module of a v6 peer in `cache` from that of v5, with a `replace` onto a checkout of Go Micro's repository,
 * and returns its folder. The public module proxies do not serve v6, so nothing of it can be pinned here. Throws with
 * Go's own words.
 *
 * v6 takes a service's name as the first parameter of `NewService`.
 */
export function makeV6Module(go: string, checkout: string, sources: string, cache: string): string {
  const folder = join(cache, 'v6-module', 'v6');
  rmSync(join(cache, 'v6-module'), { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(join(sources, 'peer'), join(cache, 'v6-module', 'peer'), { recursive: true });
  for (const file of readdirSync(join(sources, 'v5')).filter((name) => name.endsWith('.go'))) {
    const text = readFileSync(join(sources, 'v5', file), 'utf8')
      .replaceAll('go-micro.dev/v5', 'go-micro.dev/v6')
      .replace('micro.NewService(append(', 'micro.NewService(options.Name, append(');
    writeFileSync(join(folder, file), text);
  }
  const goMod = readFileSync(join(sources, 'v5', 'go.mod'), 'utf8')
    .replace('interop/v5', 'interop/v6')
    .split('\n')
    .filter((line) => !/go-micro\.dev\/v5 v|\/\/ indirect/.test(line))
    .join('\n');
  writeFileSync(join(folder, 'go.mod'), goMod);
  runGo(go, ['mod', 'edit', `-replace=go-micro.dev/v6=${checkout}`, '-require=go-micro.dev/v6@v6.0.0'], folder);
  runGo(go, ['mod', 'edit', `-go=${goVersionOf(checkout)}`], folder);
  runGo(go, ['mod', 'tidy'], folder);
  return folder;
}

function goVersionOf(checkout: string): string {
  const version = /^go (\S+)$/m.exec(readFileSync(join(checkout, 'go.mod'), 'utf8'))?.[1];
  if (version === undefined) throw new Error(`GO_MICRO_V6: ${checkout}/go.mod names no Go version`);
  return version;
}
