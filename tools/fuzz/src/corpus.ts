import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const mostKept = 200;

/** The payloads that reached something new, kept in the repository. */
export interface Corpus {
  /** Those of the file and the samples. */
  readonly payloads: readonly Uint8Array[];
  keep(payload: Uint8Array): void;
  /** Writes the file, sorted, without the samples; at most 200 payloads, the shortest. */
  save(): void;
}

export function corpusFolder(): URL {
  return new URL('../corpus/', import.meta.url);
}

export function readCorpus(name: string, samples: readonly Uint8Array[]): Corpus {
  const file = new URL(`${name}.json`, corpusFolder());
  const texts: readonly string[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  const kept = new Set(texts);
  const payloads = [...samples, ...texts.map((text) => new Uint8Array(Buffer.from(text, 'base64')))];
  return {
    payloads,
    keep(payload) {
      kept.add(Buffer.from(payload).toString('base64'));
      payloads.push(payload);
    },
    save() {
      const shortest = [...kept].sort((a, b) => a.length - b.length || (a < b ? -1 : 1)).slice(0, mostKept);
      writeFileSync(file, `${JSON.stringify(shortest, null, 2)}\n`);
    },
  };
}
