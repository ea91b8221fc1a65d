import type { BareNats } from '../bare-nats.ts';
import type { Generation } from '../generation.ts';
import type { PeerProcess } from '../peer-process.ts';

/** What a scenario works with: a running Go server, a Go client, and a bare connection. */
export interface ScenarioContext {
  readonly generation: Generation;
  readonly bare: BareNats;
  readonly client: PeerProcess;
  readonly server: PeerProcess;
  /** The subject the server listens on. */
  readonly address: string;
}

/** One thing that happens while the tap runs. What `run` returns is kept as the outcome. */
export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly between: 'go->go' | 'bare->go';
  run(context: ScenarioContext): Promise<unknown>;
}
