import { packageBuild } from '../../tsup.base.ts';

export default packageBuild(['src/index.ts', 'src/server.ts', 'src/client.ts', 'src/in-code.ts']);
