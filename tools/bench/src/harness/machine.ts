import { execFileSync } from 'node:child_process';
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { findNatsServer } from '@ts-micro/testkit/nats';

/** What a reader must know to compare numbers. */
export interface Machine {
  readonly system: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly node: string;
  readonly natsServer: string;
  /** Of the last minute, before anything was measured: near 0 on a machine that has nothing else to do. */
  readonly loadBefore: number;
}

export function describeMachine(): Machine {
  return {
    system: `${platform()} ${release()} ${arch()}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    natsServer: execFileSync(findNatsServer(), ['--version'], { encoding: 'utf8' })
      .trim()
      .replace(/^nats-server:\s*/, ''),
    loadBefore: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}
