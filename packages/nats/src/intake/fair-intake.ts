import { FairIntake } from '@ts-micro/kit/frames';
import type { NatsConnection } from '../connection/connection.ts';
import { InboundLag } from './inbound-lag.ts';

const intakes = new WeakMap<NatsConnection, FairIntake>();

/**
 * Returns the one that judges whatever is asked over a connection: one loop reads it all, so who floods one listener
 * takes from those that ask another.
 */
export function fairIntakeOf(connection: NatsConnection): FairIntake {
  const known = intakes.get(connection);
  if (known !== undefined) return known;
  const intake: FairIntake = new FairIntake(() => lag.isBehind());
  const lag = new InboundLag(connection, () => intake.asked);
  intakes.set(connection, intake);
  return intake;
}
