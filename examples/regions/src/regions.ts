import { regionsApart } from './apart.ts';
import { regionsJoined } from './joined.ts';

// `node dist/regions.js`: what docs/topologies.md says of regions, on real servers.
try {
  await regionsApart();
  await regionsJoined();
  console.log('\nEach region lived on without the other.');
} catch (error) {
  console.error(`\n${(error as Error).message}`);
  process.exitCode = 1;
}
