import { MicroError } from '@ts-micro/core';

let step = 0;

/** Says in plain words what comes next. */
export function tell(text: string): void {
  step++;
  console.log(`\n${step}. ${text}`);
}

/** Shows one fact. */
export function show(text: string): void {
  console.log(`   ${text}`);
}

/** Ends the demo where what it claims does not hold. */
export function expect(holds: boolean, claim: string): void {
  if (!holds) throw new MicroError('internal', `demo: it does not hold that ${claim}`);
}
