import assert from 'node:assert/strict';
import { rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { deregister, lookUp, nodeIds, type RegistryContext, register, sees, simple } from './records.ts';

export const leases: readonly ContractCase<'registry'>[] = casesOf('registry', 'Registry', [
  {
    id: 'registry/lease-runs-out',
    title: 'a node disappears after `ttlMs` without being registered again',
    needs: ['ttl'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const name = context.unique('service');
      const ttlMs = leaseMs(context);
      let started = 0;
      await context.until('the node to be seen', async () => {
        started = performance.now();
        await register(context, registrar, simple(name, '1', 'leased'), ttlMs);
        return (await lookUp(context, registry, name)).length === 1;
      });
      for (const each of [registry, registrar]) {
        await context.until('the node to disappear', async () => {
          if ((await lookUp(context, each, name)).length > 0) return false;
          const lived = Math.round(performance.now() - started);
          assert.ok(lived >= ttlMs - context.ttlStepMs, `gone ${lived} ms after a lease of ${ttlMs} ms began`);
          return true;
        });
      }
    },
  },
  {
    id: 'registry/lease-upper-bound',
    title: 'a lease is not much longer than its `ttlMs`',
    needs: ['ttl'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const name = context.unique('service');
      const ttlMs = leaseMs(context);
      await register(context, registrar, simple(name, '1', 'leased'), ttlMs);
      const longest = performance.now() + 2.5 * ttlMs + context.ttlStepMs;
      let late = 0;
      await context.until(
        'the node to disappear',
        async () => {
          // A process that was held up sees it once more; one that still sees it again and again lives too long.
          const isLate = performance.now() > longest;
          if ((await lookUp(context, registry, name)).length === 0) return true;
          if (isLate) late++;
          assert.ok(late < 5, `still there more than 2.5 times its lease of ${ttlMs} ms after it began`);
          if (isLate) await new Promise((resolve) => setTimeout(resolve, context.ms(50)));
          return false;
        },
        10 * ttlMs + context.ms(10_000),
      );
    },
  },
  {
    id: 'registry/lease-renewed',
    title: 'a node registered again in time stays',
    needs: ['ttl'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const name = context.unique('service');
      const ttlMs = leaseMs(context);
      const started = performance.now();
      let renewed = Number.NEGATIVE_INFINITY;
      let isSeen = false;
      await context.until('three leases to pass', async () => {
        // Late in the lease, so that one that is not renewed runs out before the next time.
        if (performance.now() - renewed > 0.6 * ttlMs) {
          renewed = performance.now();
          await register(context, registrar, simple(name, '1', 'leased'), ttlMs);
        }
        const ids = nodeIds(await lookUp(context, registry, name));
        // Where this process was held up for a whole lease, its end proves nothing.
        const isConclusive = performance.now() - renewed < ttlMs - context.ttlStepMs;
        if (isSeen && isConclusive) assert.deepEqual(ids, ['leased'], 'renewed in time, and gone');
        isSeen ||= ids.length === 1;
        return isSeen && performance.now() - started > 3 * ttlMs;
      });
    },
  },
  {
    id: 'registry/no-lease',
    title: 'a node without `ttlMs` stays',
    needs: ['ttl'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const name = context.unique('service');
      await register(context, registrar, simple(name, '1', 'forever'));
      await register(context, registrar, simple(name, '1', 'leased'), leaseMs(context));
      // Neither a lease that was given up nor that of a node that left comes back to what was registered after it.
      await register(context, registrar, simple(name, '1', 'kept'), leaseMs(context));
      await register(context, registrar, simple(name, '1', 'kept'));
      await register(context, registrar, simple(name, '1', 'anew'), leaseMs(context));
      await deregister(context, registrar, simple(name, '1', 'anew'));
      await register(context, registrar, simple(name, '1', 'anew'));
      await register(context, registrar, simple(name, '2', 'leased'), leaseMs(context));
      const staying = simple(name, '1', 'forever', 'kept', 'anew');
      for (const each of [registry, registrar]) await sees(context, each, name, staying);
    },
  },
  {
    id: 'registry/bad-ttl',
    title: 'a `ttlMs` that is not a positive number is refused with `invalid`',
    needs: ['ttl'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const name = context.unique('service');
      for (const ttlMs of [0, -1, Number.NaN, '1000' as unknown as number]) {
        const registering = registrar.register(simple(name, '1', 'leased'), { ttlMs });
        await rejection(context.within(registering, 'register'), `a ttlMs of ${ttlMs}`, 'invalid');
      }
      assert.deepEqual(await lookUp(context, registry, name), [], 'what was refused is registered');
    },
  },
]);

/** A lease short enough to wait for, long enough for the backend's steps and a busy machine. */
export function leaseMs(context: RegistryContext): number {
  return Math.max(context.ms(500), 3 * context.ttlStepMs);
}
