import { expect, it } from 'vitest';
import { Deadline, DeadlineClock } from '../../src/client/call/deadline-clock.ts';
import { until } from './world.ts';

class Probe extends Deadline {
  readonly startedAtMs = performance.now();
  tookMs: number | undefined;
  ends = 0;

  onDeadline(): void {
    this.ends++;
    this.tookMs = performance.now() - this.startedAtMs;
  }
}

it('ends each deadline once, never early, whatever their order', async () => {
  const clock = new DeadlineClock();
  const probes = [40, 10, 25, 10, 3, 60, 0.5, 25].map((durationMs) => {
    const probe = new Probe();
    clock.start(probe, durationMs);
    return { probe, durationMs };
  });
  await until(() => clock.running === 0);
  for (const { probe, durationMs } of probes) {
    expect(probe.ends).toBe(1);
    expect(probe.tookMs).toBeGreaterThanOrEqual(durationMs);
  }
});

it('does not end what was stopped', async () => {
  const clock = new DeadlineClock();
  const [first, stopped, last] = [new Probe(), new Probe(), new Probe()];
  for (const probe of [first, stopped, last]) clock.start(probe, 20);
  clock.stop(stopped);
  clock.stop(stopped);
  expect(clock.running).toBe(2);
  await until(() => clock.running === 0);
  expect([first.ends, stopped.ends, last.ends]).toEqual([1, 0, 1]);
});

it('begins anew when started again', async () => {
  const clock = new DeadlineClock();
  const probe = new Probe();
  clock.start(probe, 10);
  clock.start(probe, 60);
  expect(clock.running).toBe(1);
  await until(() => probe.ends > 0);
  expect(probe.tookMs).toBeGreaterThanOrEqual(60);
  expect(probe.ends).toBe(1);
});

it('lets a deadline that ends start itself again', async () => {
  const clock = new DeadlineClock();
  class Again extends Probe {
    override onDeadline(): void {
      super.onDeadline();
      if (this.ends < 3) clock.start(this, 5);
    }
  }
  const again = new Again();
  clock.start(again, 5);
  await until(() => again.ends === 3);
  expect(clock.running).toBe(0);
});

it('ends nothing after close', async () => {
  const clock = new DeadlineClock();
  const probe = new Probe();
  clock.start(probe, 5);
  clock.close();
  const other = new Probe();
  const witness = new DeadlineClock();
  witness.start(other, 50);
  await until(() => other.ends === 1);
  expect(probe.ends).toBe(0);
});

it('keeps the process alive only while a deadline runs', () => {
  const clock = new DeadlineClock();
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const [one, two] = [new Probe(), new Probe()];
  clock.start(one, 10_000);
  clock.start(two, 10_000);
  expect(timers()).toBe(before + 1);
  clock.stop(one);
  clock.stop(two);
  expect(timers()).toBe(before);
  clock.start(one, 10_000);
  expect(timers()).toBe(before + 1);
  clock.close();
  expect(timers()).toBe(before);
});
