import { natsRegistry } from '@ts-micro/registry-nats';
import { createClient } from '@ts-micro/service';
import { natsTransport } from '@ts-micro/transport-nats';
import { nearest } from './nearest.ts';
import { openRegion, poolOf, whoAnswers, whoIsKnown } from './region.ts';
import { startSupercluster } from './supercluster.ts';
import { show, tell } from './tell.ts';

/** Two regions whose NATS are joined by gateways: services are pooled by the subjects their registry uses. */
export async function regionsJoined(): Promise<void> {
  tell('B. The NATS of the two regions are joined by gateways. Each region has registry subjects of its own.');
  await using servers = await startSupercluster();
  const { north, south } = servers;
  await using inNorth = await openRegion('north', north.address, poolOf('north'));
  await using inSouth = await openRegion('south', south.address, poolOf('south'));
  show('the registry in the north knows', await whoIsKnown(inNorth.registry), /^north-1, north-2$/);
  show('the registry in the south knows', await whoIsKnown(inSouth.registry), /^south-1, south-2$/);
  show('a hundred calls in the north', await whoAnswers(inNorth.client), /^north-1 \d+, north-2 \d+$/);

  tell('Ten events are published in the south. Their queue spans both regions; NATS keeps them near.');
  for (let number = 1; number <= 10; number++) await inSouth.client.publish('greeter.say', { text: `event ${number}` });
  await until(() => inSouth.heard.length + inNorth.heard.length >= 10);
  show('events handled', `${inSouth.heard.length} in the south, ${inNorth.heard.length} in the north`, /^10 .*, 0 /);

  tell('Who wants another region asks for it: this client is in the north, and its registry asks in the south.');
  await using transport = natsTransport({ servers: north.address });
  // The longer the way, the longer the silence after which all have answered.
  await using registry = natsRegistry({ servers: north.address, quietMs: 250, ...poolOf('south') });
  await using abroad = createClient({ transport, registry });
  show('a hundred calls from the north', await whoAnswers(abroad), /^south-1 \d+, south-2 \d+$/);

  tell('The greeters of the north stop. Who tries the own region first and then the other is still answered.');
  await inNorth.stop();
  const calls = await whoAnswers(nearest(inNorth.client, abroad));
  show('a hundred calls from the north', calls, /^south-1 \d+, south-2 \d+$/);

  tell('The NATS of the north is killed. The south lives on.');
  await north.kill();
  show('a hundred calls in the south', await whoAnswers(inSouth.client), /^south-1 \d+, south-2 \d+$/);
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isSo() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
}
