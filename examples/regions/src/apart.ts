import { MicroError } from '@ts-micro/core';
import type { Client } from '@ts-micro/service';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { openRegion, whoAnswers, whoIsKnown } from './region.ts';
import { show, tell } from './tell.ts';

/**
 * A NATS for each region, which know nothing of each other: services are pooled by the address their registry is given.
 */
export async function regionsApart(): Promise<void> {
  tell('A. Each region has a NATS of its own, and its services are given no other address.');
  await using north = await startNatsServer();
  await using south = await startNatsServer();
  await using inNorth = await openRegion('north', north.address);
  await using inSouth = await openRegion('south', south.address);
  show('the registry in the north knows', await whoIsKnown(inNorth.registry), /^north-1, north-2$/);
  show('the registry in the south knows', await whoIsKnown(inSouth.registry), /^south-1, south-2$/);
  show('a hundred calls in the north', await whoAnswers(inNorth.client), /^north-1 \d+, north-2 \d+$/);
  show('a hundred calls in the south', await whoAnswers(inSouth.client), /^south-1 \d+, south-2 \d+$/);

  tell('The NATS of the north is killed. The north says so at once; the south does not notice.');
  await north.kill();
  show('a call in the north', await outcome(whoAnswers(inNorth.client)), /^unavailable$/);
  show('a hundred calls in the south', await whoAnswers(inSouth.client), /^south-1 \d+, south-2 \d+$/);

  tell('It is started again. Nobody in the north is restarted.');
  await north.restart();
  show('a hundred calls in the north', await whenBothAnswer(inNorth.client), /^north-1 \d+, north-2 \d+$/);
}

async function outcome(work: Promise<string>): Promise<string> {
  try {
    return await work;
  } catch (error) {
    return MicroError.is(error) ? error.code : String(error);
  }
}

/** Connections come back within a second; a node that was out of reach is asked again a second later. */
async function whenBothAnswer(client: Client): Promise<string> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const answers = await outcome(whoAnswers(client));
    if (answers.includes(',') || performance.now() > deadline) return answers;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
