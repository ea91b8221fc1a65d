import { packageBuild } from '../../tsup.base.ts';

export default packageBuild(['src/redis-registry.ts', 'src/register.ts']);
