import { packageBuild } from '../../tsup.base.ts';

export default packageBuild(['src/index.ts', 'src/vitest.ts', 'src/nats.ts', 'src/server.ts']);
