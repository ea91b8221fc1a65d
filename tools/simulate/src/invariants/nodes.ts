import type { World } from '../harness/world.ts';
import type { Setting } from '../programs/program.ts';

export const registerIntervalMs = 2000;
export const registerTtlMs = 6000;
/** What passing on the news may take beyond. */
const slackMs = 1500;

/** A node that is gone is not called after its lease; one that is up and reachable is found within a heartbeat. */
export class Nodes {
  readonly #world: World;
  readonly #setting: Setting;
  readonly #goneAtMs = new Map<string, number>();

  constructor(world: World, setting: Setting) {
    this.#world = world;
    this.#setting = setting;
  }

  gone(address: string): void {
    if (!this.#goneAtMs.has(address)) this.#goneAtMs.set(address, this.#world.clock.nowMs);
  }

  dialled(address: string): void {
    const goneAtMs = this.#goneAtMs.get(address);
    if (goneAtMs === undefined) return;
    const sinceMs = this.#world.clock.nowMs - goneAtMs;
    if (sinceMs > registerTtlMs + slackMs + this.#setting.latencyMs)
      this.#world.broken(`${address} was dialled ${sinceMs.toFixed(0)} ms after it was gone`);
  }
}
