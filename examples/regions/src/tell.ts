import { MicroError } from '@ts-micro/core';

/** Says in plain words what comes next. */
export function tell(text: string): void {
  console.log(`\n${text}`);
}

/** Shows one fact, and ends the example where it is not as it should be. */
export function show(who: string, fact: string, expected: RegExp): void {
  console.log(`   ${who}: ${fact}`);
  if (!expected.test(fact)) throw new MicroError('internal', `regions: "${fact}" is not ${expected}`);
}
