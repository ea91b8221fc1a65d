import { MicroError } from '@ts-micro/core';
import type { Client } from '@ts-micro/service';

/**
 * Calls at home, and abroad what cannot have run there: home knows no such service, or none of its nodes was reached.
 */
export function nearest(home: Client, abroad: Client): Pick<Client, 'call'> {
  return {
    async call(...call) {
      try {
        return await home.call(...call);
      } catch (error) {
        const hasNotRun = MicroError.is(error) && (error.retrySafe || error.code === 'not_found');
        if (!hasNotRun) throw error;
        return abroad.call(...call);
      }
    },
  };
}
