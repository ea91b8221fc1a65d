import { demoInMemory } from './in-memory.ts';
import { demoOnNats } from './on-nats.ts';
import { demoWithGo } from './with-go.ts';

// `npm run demo` on a real nats-server; `-- --memory` in one process without one; `-- --go` together with Go Micro.
try {
  if (process.argv.includes('--memory')) await demoInMemory();
  else if (process.argv.includes('--go')) await demoWithGo();
  else await demoOnNats();
  console.log('\nThe demo ended as it was meant to.');
} catch (error) {
  console.error(`\n${(error as Error).message}`);
  process.exitCode = 1;
}
