import { packageBuild } from '../../tsup.base.ts';

export default packageBuild(['src/interop.ts', 'src/record.ts', 'src/ts-greeter.ts']);
