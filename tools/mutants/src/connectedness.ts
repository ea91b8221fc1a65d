import type { InterfaceName, Interfaces } from '@ts-micro/testkit';
import { altered } from './altered.ts';
import { type Mutant, mutantsOf } from './mutant.ts';
import type { World } from './world.ts';

/** Mutants of `isConnected`, which the sound backends do not have. */
export function connectednessMutants<I extends InterfaceName>(interfaceName: I): readonly Mutant<I>[] {
  const saying = (isConnected: (world: World) => boolean | undefined) => (world: World) => (sound: Interfaces[I]) =>
    altered<Interfaces[I]>(sound, {
      get isConnected() {
        return isConnected(world);
      },
    } as Partial<Interfaces[I]>);
  return mutantsOf(interfaceName, [
    {
      name: 'says it is connected for ever',
      breaks: '`isConnected` is true during an outage.',
      caughtBy: ['outage-is-connected'],
      make: saying(() => true),
    },
    {
      name: 'says it is lost for ever',
      breaks: '`isConnected` is false from the first outage on.',
      caughtBy: ['outage-is-connected'],
      make: saying((world) => world.kills === 0),
    },
    {
      name: 'says it never connected',
      breaks: '`isConnected` is false while everything works.',
      caughtBy: ['outage-is-connected'],
      make: saying(() => false),
    },
  ]);
}
