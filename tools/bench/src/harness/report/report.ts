import type { Workload, WorkloadResult } from '../../workloads/workload.ts';
import type { Machine } from '../machine.ts';
import { reasonOf } from '../reason.ts';
import type { Settings } from '../settings.ts';
import type { Outcome } from '../target.ts';
import { type Table, tableText } from './table.ts';

interface Section extends WorkloadResult {
  readonly name: string;
  readonly title: string;
}

/** Prints results as they come, the verdicts at the end, and gives all of it as JSON. */
export class Report {
  readonly #startedAt: string = new Date().toISOString();
  readonly #machine: Machine;
  readonly #settings: Settings;
  readonly #sections: Section[] = [];

  constructor(machine: Machine, settings: Settings) {
    this.#machine = machine;
    this.#settings = settings;
  }

  printHead(): void {
    const { cores, processor, memoryGib, system, node, natsServer, loadBefore } = this.#machine;
    const { rounds, measureMs, isQuick } = this.#settings;
    console.log(`${cores} cores of ${processor}, ${memoryGib} GiB, ${system}, load ${loadBefore}`);
    console.log(`node ${node}, nats-server ${natsServer}`);
    console.log(`${rounds} rounds, ${measureMs} ms each${isQuick ? ': quick, the numbers mean little' : ''}`);
    console.log('medians, with the quartiles in brackets; ratios are taken within a round');
    if (loadBefore > cores / 4) console.log('this machine has other work to do: the numbers suffer from it');
  }

  add({ name, title }: Workload, result: WorkloadResult): void {
    this.#sections.push({ name, title, ...result });
    console.log(`\n## ${title}\n`);
    console.log(result.tables.map(tableText).join('\n\n'));
    for (const note of result.notes ?? []) console.log(`\n${note}`);
  }

  /** A workload that did not run to its end. */
  addFailure({ name, title }: Workload, error: unknown): void {
    const outcome: Outcome = { row: title, target: '', measured: reasonOf(error), verdict: 'not measured' };
    this.#sections.push({ name, title, tables: [], outcomes: [outcome] });
    console.log(`\n## ${title}\n\nfailed: ${error instanceof Error ? error.stack : error}`);
  }

  printVerdicts(): void {
    const rows = this.#sections.flatMap(({ outcomes }) =>
      outcomes.map(({ row, target, measured, verdict }) => [row, target, measured, verdict]),
    );
    const table: Table = { head: ['promise', 'target', 'measured', 'verdict'], rows };
    console.log(`\n## Targets\n\n${tableText(table)}`);
  }

  json(): string {
    const content = {
      startedAt: this.#startedAt,
      endedAt: new Date().toISOString(),
      machine: this.#machine,
      settings: this.#settings,
      workloads: this.#sections,
    };
    return `${JSON.stringify(content, undefined, 2)}\n`;
  }
}
