import fc from 'fast-check';
import { marker, payloads } from './payloads.ts';

/** What a peer publishes that means no good. */
export interface Malformed {
  readonly payload: Uint8Array;
  readonly reply: string | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly status: number | undefined;
}

/** Messages with random and mutated payloads; with the same seed always the same ones. */
export function drawMalformed(
  samples: readonly Uint8Array[],
  { count, seed }: { readonly count: number; readonly seed: number },
): readonly Malformed[] {
  return fc.sample(messages(samples), { numRuns: count, seed });
}

function messages(samples: readonly Uint8Array[]): fc.Arbitrary<Malformed> {
  return fc.record({
    payload: payloads(samples),
    reply: fc.option(
      fc.nat(5000).map((number) => `reply.${marker}.${number}`),
      { nil: undefined },
    ),
    headers: fc.option(
      fc.dictionary(
        fc.constantFrom('Ts-Micro-Format', 'Micro-Id', 'Ttl', 'Nats-Service-Error', '__proto__', `X-${marker}`),
        fc.constantFrom('', '1', '-1', '1e999', 'native', marker),
      ),
      { nil: undefined, freq: 3 },
    ),
    status: fc.option(fc.constantFrom(0, 100, 404, 503), { nil: undefined, freq: 20 }),
  });
}
