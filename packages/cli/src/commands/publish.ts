import type { Command } from 'commander';
import { rawJsonCodecs } from '../fleet/raw-json.ts';
import type { RunCommand } from '../fleet/run-command.ts';
import { bodyText } from '../input/body-text.ts';
import { readCount, readMetadata } from '../input/option-values.ts';

interface PublishFlags {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly repeat?: number;
}

/** `ts-micro publish TOPIC [BODY]`: one event, or the same one again and again. */
export function addPublish(program: Command, run: RunCommand): void {
  program
    .command('publish')
    .argument('<topic>')
    .argument('[body]', 'JSON, - for standard input, @file for a file; {} without one')
    .option('--metadata <name=value>', 'metadata of the event; may be given again', readMetadata)
    .option('--repeat <count>', 'publish it so often', readCount)
    .description('publish an event on a topic')
    .action((topic: string, body: string | undefined, { metadata, repeat = 1 }: PublishFlags) =>
      run(async (session) => {
        const text = await bodyText(body, session.terminal.input);
        const { signal } = session;
        for (let count = 0; count < repeat; count++)
          await session.client.publish(topic, text, { codecs: rawJsonCodecs, metadata, signal });
        if (session.isJson) session.printJson({ topic, published: repeat });
        else session.note(`published ${repeat === 1 ? 'one event' : `${repeat} events`} on ${topic}`);
      }),
    );
}
