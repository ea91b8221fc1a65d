import { demoInMemory } from './in-memory.ts';
import { demoOnNats } from './on-nats.ts';
import { demoWithGo } from './with-go.ts';

// `npm run demo` on a real nats-server; `-- --memory` in one process without one; `-- --go` together with Go Micro;
// `-- --backends=etcd,rabbitmq,kafka` on a registry, a transport and a broker of these.
try {
  const backends = process.argv.find((argument) => argument.startsWith('--backends='));
  if (backends !== undefined) {
    const { demoOnBackends } = await import('./on-backends.ts');
    await demoOnBackends(backends.slice('--backends='.length).split(','));
  } else if (process.argv.includes('--memory')) await demoInMemory();
  else if (process.argv.includes('--go')) await demoWithGo();
  else await demoOnNats();
  console.log('\nThe demo ended as it was meant to.');
} catch (error) {
  console.error(`\n${(error as Error).message}`);
  process.exitCode = 1;
}
