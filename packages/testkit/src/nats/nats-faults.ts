import { setTimeout as sleep } from 'node:timers/promises';
import type { Faults } from '../backend.ts';
import type { ChaosProxy } from './chaos-proxy.ts';
import type { NatsServer } from './nats-server.ts';

/** The faults a contract run needs, made of a throwaway server, and of the proxy in front of it where there is one: without it there is no `partition`. */
export function natsFaults(server: NatsServer, proxy?: ChaosProxy): Faults {
  const faults: Faults = { kill: () => server.kill(), restart: () => server.restart() };
  if (!proxy) return faults;
  return {
    ...faults,
    async partition(ms) {
      proxy.cut();
      await sleep(ms);
      proxy.heal();
    },
  };
}
