import { runGreeter } from './greeter.ts';

await runGreeter(process.argv, process.env);
