import type { ServiceSettings } from './service-settings.ts';
import { SubjectProcess } from './subject-process.ts';

/** Several processes of one service. */
export class Fleet implements AsyncDisposable {
  readonly nodes: readonly SubjectProcess[];

  static async start(count: number, settings: Omit<ServiceSettings, 'id'>): Promise<Fleet> {
    const starts = await Promise.allSettled(
      Array.from({ length: count }, (_, index) => SubjectProcess.start('service', { ...settings, id: `n${index}` })),
    );
    const fleet = new Fleet(starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : [])));
    for (const start of starts) {
      if (start.status === 'fulfilled') continue;
      await fleet[Symbol.asyncDispose]();
      throw start.reason;
    }
    return fleet;
  }

  constructor(nodes: readonly SubjectProcess[]) {
    this.nodes = nodes;
  }

  node(index: number): SubjectProcess {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`fleet: there is no node ${index}`);
    return node;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
  }
}
