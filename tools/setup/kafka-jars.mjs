import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runProgram } from './program.mjs';
import { findProgram } from './server-program.mjs';

const kafkaVersion = '4.1.2';

/** Tells whether the jars of a Kafka are where tests look for them. @type {() => boolean} */
export function hasKafkaJars() {
  return existsSync(join(jarsFolder(), `kafka_2.13-${kafkaVersion}.jar`));
}

/** @type {() => string} */
function jarsFolder() {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return process.env.KAFKA_LIBS || join(cache, 'ts-micro', `kafka-${kafkaVersion}`);
}

/** Has Maven copy the jars of a Kafka into the cache of the user, where tests look for them. */
export function requireKafkaJars() {
  if (hasKafkaJars()) return;
  const libs = jarsFolder();
  if (process.env.KAFKA_LIBS) throw new Error(`KAFKA_LIBS is ${libs}, which has no kafka_2.13-${kafkaVersion}.jar`);
  if (!findProgram('mvn')) {
    const ways = `install Maven, or name the folder "libs" of a Kafka ${kafkaVersion} in KAFKA_LIBS`;
    throw new Error(`the jars of Kafka are needed and are not in ${libs}. To get them, ${ways}.`);
  }
  console.log(`backends: no Kafka here, so Maven copies the jars of kafka_2.13 ${kafkaVersion} (43 MB) to ${libs}`);
  const folder = mkdtempSync(join(tmpdir(), 'ts-micro-kafka-'));
  try {
    const artifact = ['groupId>org.apache.kafka</groupId', 'artifactId>kafka_2.13</artifactId'];
    const dependency = [...artifact, `version>${kafkaVersion}</version`].map((part) => `<${part}>`).join('');
    const project =
      '<modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version>';
    const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">${project}<packaging>pom</packaging>
<dependencies><dependency>${dependency}</dependency></dependencies></project>\n`;
    writeFileSync(join(folder, 'pom.xml'), pom);
    const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}/libs`];
    const status = runProgram('mvn', ['-q', '-B', '-f', join(folder, 'pom.xml'), ...copy], { stdin: 'ignore' });
    if (status !== 0) throw new Error('Maven could not get the jars of Kafka');
    mkdirSync(dirname(libs), { recursive: true });
    rmSync(libs, { recursive: true, force: true });
    moveFolder(join(folder, 'libs'), libs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @type {(from: string, to: string) => void} */
function moveFolder(from, to) {
  try {
    renameSync(from, to);
  } catch {
    // On another file system.
    runProgram('cp', ['-r', from, to]);
  }
}
