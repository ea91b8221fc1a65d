import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type ServerOptions, startServer } from '@ts-micro/testkit/server';

/**
 * Returns the parameters with which a Java starts Kafka in half of the time: what its classes came to in an earlier
 * start, kept in `folder`. The first time, it starts one and stops it for that. Without any where that does not work.
 */
export async function archivedClasses(
  folder: string,
  java: string,
  libs: string,
  start: (parameters: readonly string[]) => ServerOptions,
): Promise<readonly string[]> {
  const program = realpathSync(java);
  const made = createHash('sha256').update(`${program} ${statSync(program).mtimeMs} ${libs} ${statSync(libs).mtimeMs}`);
  const archive = join(folder, `kafka-${made.digest('hex').slice(0, 16)}.jsa`);
  const use = [`-XX:SharedArchiveFile=${archive}`, '-Xshare:auto', '-Xlog:cds=off', '-Xlog:cds+dynamic=off'];
  if (existsSync(archive)) return use;
  const own = `${archive}.${randomUUID()}`;
  try {
    mkdirSync(folder, { recursive: true });
    const server = await startServer(start([`-XX:ArchiveClassesAtExit=${own}`]));
    // Java writes it down at the end.
    await server.stop().finally(() => server[Symbol.asyncDispose]());
    // Whole or not at all, as others may make it now.
    renameSync(own, archive);
    return use;
  } catch {
    return [];
  } finally {
    rmSync(own, { force: true });
  }
}
