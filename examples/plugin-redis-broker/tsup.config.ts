import { packageBuild } from '../../tsup.base.ts';

export default packageBuild(['src/redis-broker.ts', 'src/register.ts']);
