import type { ContractCase } from '../../contract-case.ts';
import { hostileToTransports } from '../hostile/transport.ts';
import { transportPrograms } from '../programs/transport-program.ts';
import { addresses } from './addresses.ts';
import { content } from './content.ts';
import { delivery } from './delivery.ts';
import { listener } from './listener.ts';
import { outages } from './outage.ts';
import { outageTruths } from './outage-truth.ts';
import { socket } from './socket.ts';
import { traits } from './traits.ts';
import { waiting } from './waiting.ts';

/** The contracts of `Transport`, `Listener` and `Socket`, one case for each line. */
export const transportCases: readonly ContractCase<'transport'>[] = [
  ...delivery,
  ...transportPrograms,
  ...content,
  ...addresses,
  ...listener,
  ...socket,
  ...waiting,
  ...traits,
  ...outages,
  ...outageTruths,
  ...hostileToTransports,
];
