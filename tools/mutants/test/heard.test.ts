import { setImmediate as turn } from 'node:timers/promises';
import { MicroError } from '@ts-micro/core';
import { brokerContract, type Contract, registryContract, transportContract } from '@ts-micro/testkit';
import { expect, test } from 'vitest';
import { World } from '../src/world.ts';

const manner = { name: 'fails', timing: { factor: 0.02 }, programs: { count: 3, ms: 1000 } };

// Else the kit would say of a backend that it left rejections unheard which are the kit's own.
test.each([
  ['send', transport('send', 3)],
  ['receive', transport('receive', 3)],
  ['publish', broker('publish', 0)],
  ['publish', broker('publish', 3)],
  ['close', broker('close', 0)],
  ['disconnect', broker('disconnect', 0)],
  ['getService', registry('getService', 3)],
])('where %s fails no case leaves a promise unheard', { timeout: 120_000 }, async (method, contract) => {
  const late: string[] = [];
  let failed = 0;
  for (const bound of contract.cases) {
    const note = () => void late.push(bound.id);
    process.on('rejectionHandled', note);
    try {
      const { status, reason = '' } = await bound.run();
      if (status === 'failed') failed++;
      if (reason.includes('nobody listening')) late.push(`${bound.id}: ${reason}`);
      await turn();
    } finally {
      process.off('rejectionHandled', note);
    }
  }
  expect(late).toEqual([]);
  expect(failed, `cases that fail with ${method}`).toBeGreaterThan(0);
});

function transport(method: string, sound: number): Contract {
  return transportContract({
    ...manner,
    create: () => new World().harness('transport', (instance) => failing(instance, method, { sound })),
  });
}

function broker(method: string, sound: number): Contract {
  return brokerContract({
    ...manner,
    create: () => new World().harness('broker', (instance) => failing(instance, method, { sound })),
  });
}

function registry(method: string, sound: number): Contract {
  return registryContract({
    ...manner,
    create: () => new World().harness('registry', (instance) => failing(instance, method, { sound })),
  });
}

/** The same object, and all that it opens: after `left.sound` calls the method rejects, a turn later. */
function failing<T extends object>(target: T, method: string, left: { sound: number }): T {
  const handed = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && 'closed' in value ? failing(value, method, left) : value;
  return new Proxy(target, {
    get(_, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return (...values: unknown[]) => {
        const fails = key === method && left.sound-- <= 0;
        // What is to end ends all the same.
        const isEnding = key === 'close' || key === 'disconnect';
        const result: unknown = fails && !isEnding ? undefined : value.apply(target, values.map(wrapHandler));
        if (fails) return turn(result).then(() => Promise.reject(new MicroError('internal', 'made to fail')));
        return result instanceof Promise ? result.then(handed) : result;
      };
    },
  });

  function wrapHandler(value: unknown): unknown {
    if (typeof value !== 'function') return value;
    return (first: unknown, ...rest: unknown[]) => value(handed(first), ...rest);
  }
}
