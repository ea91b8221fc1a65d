import { createInterface } from 'node:readline';
import type { MessageStream } from '@ts-micro/service';
import type { Command } from 'commander';
import { checkEndpoint, findNode, findService } from '../fleet/find-service.ts';
import { rawJsonCodecs } from '../fleet/raw-json.ts';
import type { RunCommand } from '../fleet/run-command.ts';
import type { Session } from '../fleet/session.ts';
import { checkedJson } from '../input/body-text.ts';
import { readDuration, readMetadata } from '../input/option-values.ts';
import { compactJson } from '../terminal/json-text.ts';
import { printable } from '../terminal/printable.ts';

interface StreamFlags {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly timeout?: number;
  readonly idle?: number;
  readonly node?: string;
  readonly version?: string;
}

/** `ts-micro stream SERVICE ENDPOINT [JSON...]`: sends lines, prints lines. */
export function addStream(program: Command, run: RunCommand): void {
  program
    .command('stream')
    .argument('<service>')
    .argument('<endpoint>', 'as Greeter.Chat')
    .argument('[values...]', 'what to send, each a JSON value; without any, the lines of standard input')
    .option('--metadata <name=value>', 'metadata of the stream; may be given again', readMetadata)
    .option('--timeout <time>', 'how long opening may take', readDuration)
    .option('--idle <time>', "how long to wait for the peer's next value", readDuration)
    .option('--node <id>', 'only this node, by its id or the beginning of it')
    .option('--version <version>', 'only nodes of this version')
    .description('open a stream, send values, and print what comes, one JSON value a line')
    .action((service: string, endpoint: string, values: readonly string[], flags: StreamFlags) =>
      run(async (session) => {
        for (const value of values) checkedJson(value, `the value ${value}`);
        const records = await findService(session, service, flags.version);
        checkEndpoint(service, records, endpoint);
        const node = flags.node === undefined ? undefined : findNode(records, flags.node).id;
        await using stream = await session.client.stream<string, string>(service, endpoint, {
          codecs: rawJsonCodecs,
          metadata: flags.metadata,
          timeoutMs: flags.timeout,
          streamIdleMs: flags.idle,
          version: flags.version,
          ...(node !== undefined && { where: (candidate) => candidate.node.id === node }),
          signal: session.signal,
        });
        const sending = values.length > 0 ? sendAll(stream, values) : sendLines(session, stream);
        // Its failure is told by `Promise.all` below; until then nothing else would take it.
        sending.catch(() => {});
        await Promise.all([receiveAll(session, stream), sending]);
      }),
    );
}

type JsonStream = MessageStream<string, string>;

async function receiveAll(session: Session, stream: JsonStream): Promise<void> {
  try {
    for (let value = await stream.receive(); value !== undefined; value = await stream.receive())
      session.print(printable(compactJson(value)));
  } finally {
    // A line that nobody typed yet must not keep a stream that is over.
    session.terminal.input.pause();
    session.terminal.input.emit('close');
  }
}

async function sendAll(stream: JsonStream, values: readonly string[]): Promise<void> {
  for (const value of values) await stream.send(value);
  await stream.end();
}

async function sendLines(session: Session, stream: JsonStream): Promise<void> {
  const { input } = session.terminal;
  const lines = createInterface({ input });
  input.once('close', () => lines.close());
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line.trim() !== '') await stream.send(checkedJson(line, `line ${number}`));
  }
  await stream.end().catch((error) => {
    // The peer's end came first.
    if (number > 0 && session.signal.aborted) throw error;
  });
}
