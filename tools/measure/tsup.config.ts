import { packageBuild } from '../../tsup.base.ts';

export default packageBuild(['src/measure.ts']);
