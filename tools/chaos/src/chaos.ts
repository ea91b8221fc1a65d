import { parseArgs } from 'node:util';
import type { Outcome, Row } from './row.ts';
import { rows } from './rows.ts';
import { table } from './table.ts';

// The faults of the table, one after another, each with servers and processes of its own:
// `npm run chaos -- --only nats-restart`.
const { values } = parseArgs({
  options: {
    /** Only rows whose id contains one of these, comma separated. */
    only: { type: 'string', default: '' },
    /** How many events the rows of stored events have acknowledged: `--only stored-server-killed --events 1000000`. */
    events: { type: 'string' },
    /** How long each attack lasts, in seconds, and how many times as fast: `--only attack --attack-seconds 600`. */
    'attack-seconds': { type: 'string' },
    'attack-rate': { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

const events = positive('events');
if (events !== undefined && !Number.isInteger(events)) throw new Error('--events is a whole number');
const attackMs = (positive('attack-seconds') ?? 0) * 1000 || undefined;
const attackRate = positive('attack-rate');
const rowLimitMs = 300_000 + 2 * (events ?? 0) + (attackMs ?? 0);
const wanted = values.only.split(',');
const chosen = rows.filter(({ id }) => wanted.some((part) => id.includes(part)));
if (chosen.length === 0) throw new Error(`no row is named ${values.only}`);

const unhandled: unknown[] = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason));
process.on('uncaughtException', (error) => unhandled.push(error));

if (values.list) for (const { id, fault } of chosen) console.log(`${id}: ${fault}`);
else await runAll();

function positive(name: 'events' | 'attack-seconds' | 'attack-rate'): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!(number > 0 && number < Number.POSITIVE_INFINITY)) throw new Error(`--${name} is a positive number`);
  return number;
}

async function runAll(): Promise<void> {
  const results: { row: Row; outcome: Outcome; ms: number }[] = [];
  for (const row of chosen) {
    const beganMs = performance.now();
    const outcome = await runRow(row);
    const ms = Math.round(performance.now() - beganMs);
    results.push({ row, outcome, ms });
    console.log(`${outcome.ok ? 'ok  ' : 'FAIL'} ${row.id} (${(ms / 1000).toFixed(1)} s): ${outcome.measured}`);
  }
  console.log(`\n${table(results)}\n`);
  const failed = results.filter(({ outcome }) => !outcome.ok).length;
  console.log(`${results.length - failed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

async function runRow(row: Row): Promise<Outcome> {
  unhandled.length = 0;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Outcome>((resolve) => {
    timer = setTimeout(resolve, rowLimitMs, { measured: `not done within ${rowLimitMs} ms`, ok: false });
  });
  try {
    const outcome = await Promise.race([row.run({ events, attackMs, attackRate }), late]);
    if (unhandled.length === 0) return outcome;
    return { measured: `${outcome.measured}; ${unhandled.length} unhandled: ${unhandled[0]}`, ok: false };
  } catch (error) {
    return { measured: `threw ${error instanceof Error ? error.stack : error}`, ok: false };
  } finally {
    clearTimeout(timer);
  }
}
