import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Arena } from './harness/arena.ts';
import { describeMachine } from './harness/machine.ts';
import { Report } from './harness/report/report.ts';
import { readSettings, type Settings, usage } from './harness/settings.ts';
import type { Bench, Workload } from './workloads/workload.ts';
import { arenaWorkloads, otherWorkloads } from './workloads/workloads.ts';

const parameters = process.argv.slice(2);
if (parameters.includes('--help')) {
  const names = [...arenaWorkloads, ...otherWorkloads].map(({ name, title }) => `  ${name.padEnd(14)}${title}`);
  console.log(`${usage}\n\nWorkloads:\n${names.join('\n')}`);
} else {
  await main(readSettings(parameters));
}

async function main(settings: Settings): Promise<void> {
  const isWanted = ({ name }: Workload): boolean =>
    settings.workloads.length === 0 || settings.workloads.some((wanted) => name.startsWith(wanted));
  const inArena = arenaWorkloads.filter(isWanted);
  const others = otherWorkloads.filter(isWanted);
  if (inArena.length + others.length === 0) throw new Error(`no workload begins with ${settings.workloads.join(', ')}`);

  const report = new Report(describeMachine(), settings);
  report.printHead();
  await runInArena(inArena, settings, report);
  const noArena = () => Promise.reject(new Error('this workload has no arena'));
  for (const workload of others) await run(workload, { settings, arena: noArena, progress }, report);
  report.printVerdicts();
  if (settings.jsonFile !== undefined) writeFileSync(resolve(settings.jsonFile), report.json());
}

async function runInArena(workloads: readonly Workload[], settings: Settings, report: Report): Promise<void> {
  if (workloads.length === 0) return;
  await using arena = await Arena.open(profiling(settings));
  const bench: Bench = { settings, arena: async () => arena, progress };
  for (const workload of workloads) await run(workload, bench, report);
}

/** One that fails is a finding as well, and the others go on. */
async function run(workload: Workload, bench: Bench, report: Report): Promise<void> {
  try {
    report.add(workload, await workload.run(bench));
  } catch (error) {
    report.addFailure(workload, error);
    process.exitCode = 1;
  }
}

function profiling({ profileFolder }: Settings): readonly string[] {
  if (profileFolder === undefined) return [];
  const folder = resolve(profileFolder);
  mkdirSync(folder, { recursive: true });
  return ['--cpu-prof', '--cpu-prof-interval=250', `--cpu-prof-dir=${folder}`];
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${text}\r`);
}
