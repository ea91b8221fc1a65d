import { checkPayload, type PayloadCheck } from '@ts-micro-tools/malformed';
import { type Corpus, readCorpus } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { checkDecoded } from './invariants.ts';
import { Mutator } from './mutator.ts';

/** One decoder, and what it may do with what it is given. */
export interface FuzzTarget extends Pick<PayloadCheck, 'codes'> {
  /** Names its corpus: `tools/fuzz/corpus/<name>.json`. */
  readonly name: string;
  /** Returns what is decoded, or throws a MicroError of `codes`. It may change the payload. */
  readonly decode: (payload: Uint8Array) => unknown;
  /** What it reads in good days: the first corpus. */
  readonly samples: readonly Uint8Array[];
}

const fewMutations = 1000;
const batchSize = 100;
const longestPayload = 4096;
/** Of the processor's time: a loaded machine makes nothing slower. */
const slowestMs = 1000;

/**
 * Feeds the kept corpus to a decoder, and mutations of it. Throws with the payload, as hex, that breaks an invariant.
 *
 * It is a short run that is the same each time; where `FUZZ_SECONDS` is set, it goes on for so long, random, guided by
 * what code a payload reaches, and what reaches new code is kept in the corpus.
 */
export function fuzz(target: FuzzTarget): void {
  const corpus = readCorpus(target.name, target.samples);
  for (const payload of corpus.payloads) tryPayload(target, payload);
  const seconds = Number(process.env.FUZZ_SECONDS ?? 0);
  if (seconds > 0) explore(target, corpus, seconds);
  else {
    const mutator = new Mutator(1);
    for (let run = 0; run < fewMutations; run++) tryPayload(target, mutator.mutate(corpus.payloads, longestPayload));
  }
}

function explore(target: FuzzTarget, corpus: Corpus, seconds: number): void {
  const seed = Date.now() % 2 ** 31;
  const mutator = new Mutator(seed);
  const coverage = new Coverage();
  const endMs = performance.now() + seconds * 1000;
  let runs = 0;
  let found = 0;
  try {
    for (const payload of corpus.payloads) tryPayload(target, payload);
    coverage.grew();
    while (performance.now() < endMs) {
      const batch = Array.from({ length: batchSize }, () => mutator.mutate(corpus.payloads, longestPayload));
      for (const payload of batch) {
        const began = process.cpuUsage();
        tryPayload(target, payload);
        const { user, system } = process.cpuUsage(began);
        if (user + system > slowestMs * 1000) throw failure(target, payload, `takes more than ${slowestMs} ms`);
      }
      runs += batchSize;
      // Asking for the coverage costs more than a batch, so one by one only where one of them found something.
      if (!coverage.grew()) continue;
      coverage.forgetLast();
      for (const payload of batch) {
        tryPayload(target, payload);
        if (!coverage.grew()) continue;
        corpus.keep(payload);
        found++;
      }
    }
  } finally {
    coverage.stop();
    corpus.save();
  }
  console.log(
    `fuzz: ${target.name}: ${runs} payloads, ${found} reached new code, seed ${seed}, ${coverage.size} covered`,
  );
}

function tryPayload(target: FuzzTarget, payload: Uint8Array): void {
  // A copy, as decoders may write into what they are given.
  const given = Uint8Array.from(payload);
  try {
    checkPayload((bytes) => checkDecoded(target.decode(bytes), payload.length), given, target);
  } catch (error) {
    throw failure(target, payload, error instanceof Error ? error.message : String(error), error);
  }
}

function failure({ name }: FuzzTarget, payload: Uint8Array, why: string, cause?: unknown): Error {
  return new Error(`${name}: ${why}: ${Buffer.from(payload).toString('hex')}`, { cause });
}
