import type { Contender } from './contender.ts';
import { contender as multiplexer } from './multiplexer.ts';

/** About 2 MB, what a service of ts-micro with its plugins holds beyond the client: such as configuration, a cache. */
const heldObjects = 20_000;

/**
 * The hand-made multiplexer in processes that hold something. What large bodies cost depends on it: V8 collects the
 * whole heap sooner where it holds more than 8 MB.
 */
export const contender: Contender = {
  async serve(meeting, onEvent) {
    const held = objects();
    const server = await multiplexer.serve(meeting, onEvent);
    return { close: () => server.close().finally(() => held.splice(0)) };
  },

  async connect(meeting) {
    const held = objects();
    const client = await multiplexer.connect(meeting);
    return { ...client, close: () => client.close().finally(() => held.splice(0)) };
  },
};

function objects(): object[] {
  return Array.from({ length: heldObjects }, (_, index) => ({ index, name: `object ${index}`, tags: [index] }));
}
