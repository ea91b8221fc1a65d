import { setImmediate as turn } from 'node:timers/promises';
import { never } from './never.ts';
import type { World } from './world.ts';

const turns = 20;

/** A handshake that never ends where its link is lost without a word meanwhile; all calls of an instance share one. */
export function handshake(world: World): () => Promise<void> {
  let shaking: Promise<void> | undefined;
  const shake = async (): Promise<void> => {
    const { halfOpens } = world;
    for (let count = 0; count < turns; count++) await turn();
    if (world.halfOpens > halfOpens) await never();
  };
  return () => {
    shaking ??= shake();
    return shaking;
  };
}
