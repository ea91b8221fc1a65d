import { pause } from '@ts-micro/kit';
import { Argument, type Command, Option } from 'commander';
import { askNodes, isNotServed } from '../fleet/ask-nodes.ts';
import { recordsOf } from '../fleet/find-service.ts';
import type { RunCommand } from '../fleet/run-command.ts';
import type { Session } from '../fleet/session.ts';
import { type Over, untilOver } from '../fleet/until-over.ts';
import { readCount, readDuration } from '../input/option-values.ts';
import { afterKey } from '../top/keys.ts';
import { type NodeRates, RateMeter } from '../top/node-rates.ts';
import { type SortKey, screenLines, type View, viewed } from '../top/view.ts';

interface TopFlags {
  readonly interval: number;
  readonly count?: number;
  readonly sort: SortKey;
  readonly filter: string;
}

const enterScreen = '\u001b[?1049h\u001b[?25l';
const leaveScreen = '\u001b[?25h\u001b[?1049l';
const home = '\u001b[H';
const restOfLine = '\u001b[K';
const restOfScreen = '\u001b[J';

/** `ts-micro top [SERVICE]`: a live view of nodes, requests a second, errors and latency. */
export function addTop(program: Command, run: RunCommand): void {
  program
    .command('top')
    .addArgument(new Argument('[service]', 'only this one'))
    .option('--interval <time>', 'how often to ask every node', readDuration, 1000)
    .option('--count <count>', 'end after so many views', readCount)
    .addOption(new Option('--sort <key>').choices(['service', 'requests', 'errors', 'latency']).default('service'))
    .option('--filter <text>', 'only nodes whose service, version or id has it', '')
    .description('show live what nodes do; keys sort and filter; without a terminal it prints views one by one')
    .action((service: string | undefined, flags: TopFlags) =>
      run((session) => untilOver(session, undefined, (over) => show(session, service, flags, over))),
    );
}

async function show(session: Session, service: string | undefined, flags: TopFlags, over: Over): Promise<void> {
  const { terminal } = session;
  const meter = new RateMeter();
  let view: View = { sort: flags.sort, filter: flags.filter, isTyping: false };
  let nodes = await ask(session, service, meter, flags.interval);
  const isLive = terminal.isOutTerminal && terminal.input.isTTY === true && !session.isJson;
  const draw = () => drawView(session, nodes, view, isLive);
  const leave = isLive
    ? listen(session, (key) => {
        const next = afterKey(view, key);
        if (next === 'quit') return over.end();
        view = next;
        draw();
      })
    : () => {};
  try {
    for (let seen = 0; ; ) {
      // The first view has no rates yet; who reads views one by one waits for the second.
      if (isLive) draw();
      await pause(flags.interval, { signal: over.signal });
      if (over.signal.aborted) return;
      nodes = await ask(session, service, meter, flags.interval);
      if (!isLive) draw();
      if (++seen === flags.count) return;
    }
  } finally {
    leave();
  }
}

async function ask(
  session: Session,
  service: string | undefined,
  meter: RateMeter,
  intervalMs: number,
): Promise<readonly NodeRates[]> {
  const records = await recordsOf(session, service);
  const answers = await askNodes(session, records, 'Debug.Stats', Math.max(1000, intervalMs));
  const told = answers.map((each) => (isNotServed(each) ? { ...each, error: undefined } : each));
  return meter.ratesOf(told, performance.now());
}

function drawView(session: Session, nodes: readonly NodeRates[], view: View, isLive: boolean): void {
  const { terminal, paint } = session;
  if (session.isJson) {
    session.printJson({ time: new Date().toISOString(), nodes: viewed(nodes, view) });
    return;
  }
  const rows = isLive ? terminal.rows() : Number.POSITIVE_INFINITY;
  const lines = screenLines(nodes, view, { rows, columns: terminal.columns() }, paint);
  if (isLive) terminal.out.write(home + lines.map((line) => line + restOfLine).join('\r\n') + restOfScreen);
  else session.print(...lines.slice(0, -1), '');
}

/** Takes the screen and the keys; returns what gives them back. */
function listen({ terminal }: Session, onKey: (key: string) => void): () => void {
  const input = terminal.input as NodeJS.ReadStream;
  const onData = (data: string) => {
    for (const key of data) onKey(key);
  };
  terminal.out.write(enterScreen);
  input.setRawMode(true);
  input.setEncoding('utf8').on('data', onData).resume();
  return () => {
    input.off('data', onData).pause();
    input.setRawMode(false);
    terminal.out.write(leaveScreen);
  };
}
