import { testMutants } from './made-for.ts';

testMutants('broker');
