import { MicroError } from '@ts-micro/core';
import type { CallOptions } from '@ts-micro/service';
import type { Command } from 'commander';
import { exitCode } from '../exit-code.ts';
import { checkEndpoint, findNode, findService } from '../fleet/find-service.ts';
import { rawJsonCodecs } from '../fleet/raw-json.ts';
import type { RunCommand } from '../fleet/run-command.ts';
import type { Session } from '../fleet/session.ts';
import { bodyText } from '../input/body-text.ts';
import { readCount, readDuration, readMetadata } from '../input/option-values.ts';
import { histogramLines } from '../measure/histogram-lines.ts';
import { ProgressBar } from '../measure/progress-bar.ts';
import { type RepeatReport, repeat } from '../measure/repeat.ts';
import { durationText } from '../terminal/amounts.ts';
import { compactJson, prettyJson } from '../terminal/json-text.ts';
import { printable } from '../terminal/printable.ts';

interface CallFlags {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly timeout?: number;
  readonly node?: string;
  readonly version?: string;
  readonly repeat?: number;
  readonly concurrency?: number;
}

/** `ts-micro call SERVICE ENDPOINT [BODY]`: one call, or many with their latencies. */
export function addCall(program: Command, run: RunCommand): void {
  program
    .command('call')
    .argument('<service>')
    .argument('<endpoint>', 'as Greeter.Hello')
    .argument('[body]', 'JSON, - for standard input, @file for a file; {} without one')
    .option('--metadata <name=value>', 'metadata of the request; may be given again', readMetadata)
    .option('--timeout <time>', 'how long a call may take: 500ms, 5s', readDuration)
    .option('--node <id>', 'only this node, by its id or the beginning of it')
    .option('--version <version>', 'only nodes of this version')
    .option('--repeat <count>', 'call so often, and show the latencies', readCount)
    .option('--concurrency <count>', 'with --repeat: how many calls at once', readCount)
    .description('call an endpoint and print what it answers')
    .action((service: string, endpoint: string, body: string | undefined, flags: CallFlags) =>
      run(async (session) => {
        const text = await bodyText(body, session.terminal.input);
        const records = await findService(session, service, flags.version);
        checkEndpoint(service, records, endpoint);
        const options = callOptions(
          session,
          flags,
          flags.node === undefined ? undefined : findNode(records, flags.node).id,
        );
        const call = () => session.client.call<string | undefined>(service, endpoint, text, options);
        if (flags.repeat !== undefined || flags.concurrency !== undefined) return callOften(session, call, flags);
        // What a handler answers that returns nothing is `{}` on the wire.
        const answer = (await call()) ?? '{}';
        session.print(session.isJson ? printable(compactJson(answer)) : prettyJson(answer, session.paint));
      }),
    );
}

function callOptions({ signal }: Session, flags: CallFlags, node: string | undefined): CallOptions {
  return {
    signal,
    codecs: rawJsonCodecs,
    metadata: flags.metadata,
    timeoutMs: flags.timeout,
    version: flags.version,
    ...(node !== undefined && { where: (candidate) => candidate.node.id === node }),
  };
}

async function callOften(session: Session, call: () => Promise<unknown>, flags: CallFlags): Promise<void> {
  const times = flags.repeat ?? flags.concurrency ?? 1;
  const bar = new ProgressBar(session.terminal, times);
  const concurrency = flags.concurrency ?? 1;
  const onProgress = (done: number) => bar.show(done);
  const report = await repeat(call, { times, concurrency, signal: session.signal, onProgress });
  bar.clear();
  const { firstError, ...numbers } = report;
  if (session.isJson) session.printJson({ ...numbers, firstError: firstError?.message });
  else printReport(session, report);
  if (report.succeeded < report.calls) session.endWith(exitCode.failed);
  if (session.signal.aborted) throw new MicroError('canceled', `stopped after ${report.calls} of ${times} calls`);
}

function printReport(session: Session, report: RepeatReport): void {
  const { paint, terminal } = session;
  const { calls, succeeded, elapsedMs, perSecond, latencyMs, failures, firstError } = report;
  session.print(
    `${calls} calls in ${durationText(elapsedMs)}: ${Math.round(perSecond)} a second, ` +
      `${succeeded} succeeded, ${calls - succeeded} failed`,
  );
  for (const [code, count] of Object.entries(failures)) session.print(paint.red(`  ${count} ${code}`));
  if (firstError !== undefined) session.print(paint.red(`  the first: ${printable(firstError.message)}`));
  if (latencyMs === undefined) return;
  const { min, mean, p50, p90, p99, max } = latencyMs;
  const facts = Object.entries({ min, mean, p50, p90, p99, max }).map(([name, ms]) => `${name} ${durationText(ms)}`);
  session.print(facts.join('  '), '', ...histogramLines(latencyMs, terminal.columns(), paint));
}
