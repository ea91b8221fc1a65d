import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { findGo, type Generation, generations } from './generation.ts';
import type { Outcome, Row } from './matrix/row.ts';
import { runMatrix } from './matrix/run-matrix.ts';
import { table } from './matrix/table.ts';
import { hasPrometheus, rows } from './rows/rows.ts';

const { values } = parseArgs({
  options: {
    /** Only these generations, comma separated: `v5`. */
    generation: { type: 'string' },
    /** Only rows whose direction or id contains this: `go->ts`. */
    only: { type: 'string', default: '' },
    /** Our side's NATS client: `nats` or `nats-io`. */
    client: { type: 'string', default: 'nats' },
  },
});

const wanted = values.generation?.split(',');
const chosen = generations.filter(({ name }) => wanted === undefined || wanted.includes(name));
const chosenRows = rows.filter(({ id, direction }) => `${direction} ${id}`.includes(values.only));
if (chosen.length === 0 || chosenRows.length === 0) throw new Error('no such generation or row');
if (values.client !== 'nats' && values.client !== 'nats-io') throw new Error('--client is nats or nats-io');

const keyOf = (generation: Generation, row: Row): string => `${generation.name} ${row.direction} ${row.id}`;

/** What a program says of its version, in one line. */
function versionOf(program: string, parameter: string): string {
  return spawnSync(program, [parameter], { encoding: 'utf8' }).stdout?.trim() || `${program}: no version`;
}

const go = findGo();
if (go === undefined) {
  console.log('interop: not run, because Go is not on this machine (PATH, GO_BIN or /usr/local/go)');
  console.log(`${chosenRows.length * chosen.length} not run`);
  console.log('0 passed, 0 failed');
} else {
  const client = values.client === 'nats' ? 'nats 2.x' : '@nats-io/transport-node 3.x';
  const server = versionOf(process.env.NATS_SERVER_BIN ?? 'nats-server', '-v');
  console.log(`interop: our side on ${client}; ${server}; ${versionOf(go, 'version')}`);
  if (!hasPrometheus)
    console.log('interop: without the row of Prometheus, which is neither on PATH nor named by PROMETHEUS_BIN');
  const outcomes = new Map<string, Outcome>();
  await runMatrix({
    go,
    library: values.client,
    generations: chosen,
    rows: chosenRows,
    onCell: (generation, row, outcome) => {
      outcomes.set(keyOf(generation, row), outcome);
      const time = outcome.kind === 'not run' ? '' : ` (${outcome.ms} ms)`;
      const reason = outcome.kind === 'ok' ? '' : `\n      ${outcome.reason.replaceAll('\n', '\n      ')}`;
      console.log(`${outcome.kind.padEnd(7)} ${generation.name} ${row.direction} ${row.title}${time}${reason}`);
    },
  });
  console.log(`\n${table(chosen, chosenRows, (generation, row) => outcomes.get(keyOf(generation, row)))}\n`);
  const count = (kind: Outcome['kind']): number =>
    [...outcomes.values()].filter((outcome) => outcome.kind === kind).length;
  if (count('not run') > 0) console.log(`${count('not run')} not run`);
  console.log(`${count('ok')} passed, ${count('fail')} failed`);
  if (count('fail') > 0) process.exitCode = 1;
}
