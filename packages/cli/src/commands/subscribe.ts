import type { BrokerEvent } from '@ts-micro/core';
import type { Command } from 'commander';
import type { RunCommand } from '../fleet/run-command.ts';
import type { Session } from '../fleet/session.ts';
import { untilOver } from '../fleet/until-over.ts';
import { readCount, readDuration } from '../input/option-values.ts';
import { compactJson } from '../terminal/json-text.ts';
import { printable, printableLines } from '../terminal/printable.ts';

interface SubscribeFlags {
  readonly queue?: string;
  readonly raw?: boolean;
  readonly headers?: boolean;
  readonly count?: number;
  readonly for?: number;
}

/** `ts-micro subscribe TOPIC`: prints events as they come. */
export function addSubscribe(program: Command, run: RunCommand): void {
  program
    .command('subscribe')
    .argument('<topic>', 'with wildcards where the broker has them: greeter.*, greeter.>')
    .option('--queue <name>', 'share the events with the other members of this queue')
    .option('--raw', 'print bodies alone, as they arrived')
    .option('--headers', 'print the headers as well')
    .option('--count <count>', 'end after so many events', readCount)
    .option('--for <time>', 'end after this time: 10s, 5m', readDuration)
    .description('print the events of a topic as they come, until Ctrl-C')
    .action((topic: string, flags: SubscribeFlags) =>
      run((session) =>
        untilOver(session, flags.for, async (over) => {
          let seen = 0;
          const handler = (event: BrokerEvent) => {
            if (flags.count !== undefined && seen >= flags.count) return;
            print(session, event, flags);
            if (++seen === flags.count) over.end();
          };
          const { broker } = session.plugins;
          const onError = (error: Error) => session.note(printable(error.message));
          const onLost = (error: Error) => session.note(`the subscription is lost: ${printable(error.message)}`);
          const onRestored = () => session.note('the subscription is there again');
          const callbacks = { onError, onLost, onRestored };
          const subscriber = await broker.subscribe(topic, handler, {
            queue: flags.queue,
            signal: over.signal,
            ...callbacks,
          });
          if (!session.isJson && !flags.raw) session.note(`subscribed to ${topic}`);
          await over.reached;
          await subscriber.close();
        }),
      ),
    );
}

function print(session: Session, { topic, message }: BrokerEvent, flags: SubscribeFlags): void {
  const text = textOf(message.body);
  if (flags.raw) {
    session.terminal.out.write(`${text ?? Buffer.from(message.body).toString('latin1')}\n`);
  } else if (session.isJson) {
    const body = text === undefined ? { base64: base64(message.body) } : (parsed(text) ?? text);
    session.printJson({ topic, headers: message.headers, body });
  } else {
    const headers = Object.entries(message.headers).map(([name, value]) => printable(`  ${name}: ${value}`));
    session.print(`${session.paint.cyan(printable(topic))}  ${decoded(text, message.body)}`);
    if (flags.headers) session.print(...headers.map(session.paint.dim));
  }
}

function decoded(text: string | undefined, body: Uint8Array): string {
  if (text === undefined) return `${body.length} bytes, base64 ${base64(body)}`;
  return parsed(text) === undefined ? printableLines(text) : printable(compactJson(text));
}

function textOf(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body).trimEnd();
  } catch {
    return undefined;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function base64(body: Uint8Array): string {
  return Buffer.from(body).toString('base64');
}
