import { readFileSync, writeFileSync } from 'node:fs';

/** The memory of other processes at its highest, since it was begun to be watched. Linux only. */
export class PeakMemory {
  readonly #pids: readonly number[];
  readonly #before: readonly number[];

  /** Begins now. Throws where the system does not tell. */
  constructor(pids: readonly number[]) {
    if (process.platform !== 'linux') throw new Error('the peak of memory is read from the system on Linux only');
    this.#pids = pids;
    // Lets the system's own record of the peak begin anew.
    for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, '5');
    this.#before = pids.map((pid) => bytesOf(pid, 'VmRSS'));
  }

  /** How much the one that grew most has grown at its peak, in bytes. */
  get growth(): number {
    return Math.max(...this.#pids.map((pid, index) => bytesOf(pid, 'VmHWM') - (this.#before[index] as number)));
  }
}

function bytesOf(pid: number, field: string): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${field}:`));
  return Number.parseInt(line?.slice(field.length + 1) ?? '', 10) * 1024;
}
