/** One operating-system process of the simulated world, which owns the timers it sets and the messages it gets. */
export interface Machine {
  readonly name: string;
  /** It was killed: nothing of it runs any more. */
  isDead: boolean;
  /** Its event loop is kept busy until then: what is due meanwhile comes after, timers first. */
  blockedUntilMs: number;
}

export function machine(name: string): Machine {
  return { name, isDead: false, blockedUntilMs: 0 };
}
