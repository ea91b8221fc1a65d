import { packageBuild } from '../../tsup.base.ts';

export default packageBuild(['src/chaos.ts', 'src/subjects/*.ts']);
