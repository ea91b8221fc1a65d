import { testMutants } from './made-for.ts';

testMutants('registry');
