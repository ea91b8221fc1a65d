import { MicroError } from '@ts-micro/core';
import { printable } from './terminal/printable.ts';

/** Returns the one line that tells a person what went wrong and what to do. */
export function errorLine(thrown: unknown): string {
  const message = printable(MicroError.textOf(thrown).replace(/\s*\n\s*/g, ' '));
  const hint = hintFor(thrown, message);
  return `ts-micro: ${message}${hint === undefined ? '' : `; ${hint}`}`;
}

function hintFor(thrown: unknown, message: string): string | undefined {
  if (!MicroError.is(thrown)) return 'this is a defect of ts-micro; --verbose tells more';
  switch (thrown.code) {
    case 'unavailable':
      return /connect|server/i.test(message)
        ? 'start a server, or name another with --nats_address=HOST:PORT, or with --registry_address and its like where the plugin is not called nats'
        : undefined;
    case 'unauthorized':
      return 'check the credentials (--nats_user, --nats_creds, ...) and run "ts-micro doctor"';
    case 'timeout':
      if (message.includes(': nothing came in ')) return 'give it more time with --idle';
      return 'give it more time with --timeout, or ask "ts-micro health" which nodes answer';
    default:
      return undefined;
  }
}
