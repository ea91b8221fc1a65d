import { createClient } from '@ts-micro/service';
import { connectPlugins } from '../harness/plugins.ts';
import { settingsOf, tell } from '../harness/subject.ts';

// Opens streams and keeps them, until it is killed.
const { servers, endpoint, streams } = settingsOf<{ servers: string; endpoint: string; streams: number }>();
const plugins = await connectPlugins(servers, 'stream-client');
const client = createClient({ ...plugins });
const opened = await Promise.all(Array.from({ length: streams }, () => client.stream('chaos', endpoint)));
for (const stream of opened) {
  void (async () => {
    for await (const _ of stream);
  })();
}
process.on('disconnect', () => process.exit());
tell('ready');
