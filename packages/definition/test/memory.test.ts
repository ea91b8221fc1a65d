import { memoryPlugins } from './memory-plugins.ts';
import { testTyped } from './typed-suite.ts';

testTyped(memoryPlugins);
