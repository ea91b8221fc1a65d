import { packageBuild } from '../../tsup.base.ts';

export default packageBuild(['src/redis-link.ts', 'src/redis-server.ts']);
