import { packageBuild } from '../../tsup.base.ts';

export default packageBuild(['src/redis-server.ts']);
