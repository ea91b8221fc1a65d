import { packageBuild } from '../../tsup.base.ts';

export default packageBuild(['src/mqtt-broker.ts', 'src/register.ts']);
