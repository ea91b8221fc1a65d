import { packageBuild } from '../../tsup.base.ts';

export default packageBuild(['src/bench.ts', 'src/summary.ts', 'src/peers/*.ts']);
