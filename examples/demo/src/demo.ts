import { demoInMemory } from './in-memory.ts';
import { demoOnNats } from './on-nats.ts';

// `npm run demo` on a real nats-server; `npm run demo -- --memory` in one process without one.
try {
  if (process.argv.includes('--memory')) await demoInMemory();
  else await demoOnNats();
  console.log('\nThe demo ended as it was meant to.');
} catch (error) {
  console.error(`\n${(error as Error).message}`);
  process.exitCode = 1;
}
