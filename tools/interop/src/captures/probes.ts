import { startNatsServer } from '@ts-micro/testkit/nats';
import { BareNats } from '../bare-nats.ts';
import type { Generation } from '../generation.ts';
import { answerProbes } from './answer-probes.ts';
import { behaviourProbes } from './behaviour-probes.ts';
import { crashProbes } from './crash-probes.ts';

/** Runs the probes of one generation, each on a server of its own. */
export async function runProbes(generation: Generation, binary: string): Promise<unknown[]> {
  const outcomes: unknown[] = [];
  for (const probe of [...answerProbes, ...behaviourProbes, ...crashProbes]) {
    await using nats = await startNatsServer();
    await using bare = await BareNats.connect(nats.address);
    const outcome = await probe.run({
      generation,
      binary,
      nats: nats.address,
      bare,
      monitor: (page) => nats.monitor(page),
    });
    outcomes.push({ id: probe.id, title: probe.title, outcome });
  }
  return outcomes;
}
