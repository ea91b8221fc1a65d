import { createClient } from '@ts-micro/service';
import { connectPlugins } from '../harness/plugins.ts';
import { settingsOf, tell } from '../harness/subject.ts';

// Opens streams and keeps them, until it is killed.
interface Settings {
  readonly servers: string;
  readonly endpoint: string;
  readonly streams: number;
  /** Whether it takes what comes. @default true */
  readonly reads?: boolean | undefined;
}
const { servers, endpoint, streams, reads = true } = settingsOf<Settings>();
const plugins = await connectPlugins(servers, 'stream-client');
const client = createClient({ ...plugins });
const opened = await Promise.all(Array.from({ length: streams }, () => client.stream('chaos', endpoint)));
for (const stream of reads ? opened : []) {
  void (async () => {
    for await (const _ of stream);
  })();
}
process.on('disconnect', () => process.exit());
tell('ready');
