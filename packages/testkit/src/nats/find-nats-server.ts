import { findProgram } from '../server/find-program.ts';

/**
 * Finds the nats-server program: `NATS_SERVER_BIN`, then `PATH`, then `/usr/sbin`, which is not on everybody's `PATH`.
 *
 * Throws `unavailable`, saying how to get it: a run without a server is red, never skipped.
 */
export function findNatsServer(environment: NodeJS.ProcessEnv = process.env): string {
  return findProgram('nats-server', {
    environment,
    variable: 'NATS_SERVER_BIN',
    install:
      'Get it with "apt-get install nats-server", ' +
      '"brew install nats-server" or "go install github.com/nats-io/nats-server/v2@latest"',
  });
}
