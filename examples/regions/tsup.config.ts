import { packageBuild } from '../../tsup.base.ts';

export default packageBuild(['src/regions.ts']);
