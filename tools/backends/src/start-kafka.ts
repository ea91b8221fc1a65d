import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { MicroError } from '@ts-micro/core';
import { findProgram, type Server, type ServerOptions, type ServerPlace, startServer } from '@ts-micro/testkit/server';
import { archivedClasses } from './kafka-archive.ts';

export const kafkaVersion = '4.1.2';

const cluster = '4L6g3nShT-eMCtK--X86sw';
const quick = ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** Returns the folder with the jars of a Kafka: that of `KAFKA_LIBS`, else where `npm run backends` puts them. */
export function kafkaLibs(): string {
  return process.env.KAFKA_LIBS || join(cacheFolder(), `kafka-${kafkaVersion}`);
}

/**
 * Starts a Kafka of one node in KRaft mode. Throws `unavailable` where there is none, or no Java.
 *
 * The first start of a Java on this machine takes twice as long, for it prepares the later ones.
 */
export async function startKafka({ properties = [] }: { properties?: readonly string[] } = {}): Promise<Server> {
  const java = findProgram('java', { variable: 'JAVA_BIN', install: 'Get Java 17 or newer' });
  const libs = kafkaLibs();
  if (!existsSync(join(libs, `kafka_2.13-${kafkaVersion}.jar`))) {
    throw new MicroError('unavailable', `kafka: no jars in ${libs}; "npm run backends" gets them from Maven Central`);
  }
  const start = (parameters: readonly string[]): ServerOptions => ({
    name: 'kafka',
    ports: 2,
    startWithinMs: 240_000,
    stopWithinMs: 60_000,
    command: async (place) => {
      const file = await configure(place, properties);
      return [java, ...quick, ...parameters, '-cp', join(libs, '*'), 'kafka.Kafka', file];
    },
  });
  return startServer(start(await archivedClasses(cacheFolder(), java, libs, start)));
}

function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ts-micro');
}

/** Writes the configuration of a Kafka, and returns its file. */
async function configure(
  { folder, ports: [port, controller], address }: ServerPlace,
  properties: readonly string[],
): Promise<string> {
  const [log, file] = [join(folder, 'log'), join(folder, 'server.properties')];
  await mkdir(log, { recursive: true });
  // What `kafka-storage.sh format` would write, without a second start of Java.
  const meta = join(log, 'meta.properties');
  if (!existsSync(meta)) await writeFile(meta, `version=1\ncluster.id=${cluster}\nnode.id=1\n`);
  const lines = [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controller}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    `advertised.listeners=PLAINTEXT://${address}`,
    'controller.listener.names=CONTROLLER',
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    // After a kill it takes itself for another one's place until that one's session is over.
    'broker.session.timeout.ms=600',
    'broker.heartbeat.interval.ms=120',
    'group.min.session.timeout.ms=500',
    // After a kill, each partition is read and its indexes are made anew, at their full size.
    'log.index.size.max.bytes=65536',
    'log.cleaner.enable=false',
    `log.dirs=${log}`,
    ...properties,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  return file;
}
