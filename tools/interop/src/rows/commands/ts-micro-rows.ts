import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { NotRun } from '../../matrix/not-run.ts';
import type { Row } from '../../matrix/row.ts';
import type { Stage } from '../../matrix/stage.ts';
import { TsMicroCommand, type TsMicroResult, tsMicroCommandLine } from '../../matrix/ts-micro-command.ts';
import { eventually } from '../../matrix/wait.ts';

const services = (stage: Stage): readonly string[] => [stage.goService, stage.tsService];

/** Starts a Go and a TypeScript greeter, where they are not there yet. */
async function fleet(stage: Stage): Promise<void> {
  await Promise.all([stage.goServer(), stage.tsServer()]);
}

async function run(stage: Stage, words: readonly string[], input?: string): Promise<TsMicroResult> {
  using command = new TsMicroCommand(stage.nats.address, words, input);
  return await command.ended;
}

/** What it prints where it ends well. */
async function prints(stage: Stage, ...words: string[]): Promise<string> {
  const { code, out, err } = await run(stage, words);
  assert.equal(code, 0, `ts-micro ${words.join(' ')} ended with ${code}: ${err}`);
  return out;
}

function row(command: string, title: string, play: (stage: Stage) => Promise<void>): Row {
  return {
    id: `ts-micro-${command}`,
    title: `\`ts-micro ${command}\` ${title}`,
    direction: 'command',
    generations: ['v5'],
    run: async (stage) => {
      await fleet(stage);
      await play(stage);
    },
  };
}

/** What our own command line makes of a fleet of Go and TypeScript services, as a program. */
export const tsMicroRows: readonly Row[] = [
  row('services', 'lists Go and TypeScript services with versions, nodes and subscriptions', async (stage) => {
    const out = await prints(stage, 'services');
    for (const service of services(stage)) assert.match(out, new RegExp(`^${service} +\\S+ +1 .*greeter\\.say`, 'm'));
    const records = JSON.parse(await prints(stage, 'services', '--json')) as { name: string }[];
    for (const service of services(stage)) assert.ok(records.some(({ name }) => name === service));
  }),
  row('describe', 'shows the shapes of Go and TypeScript endpoints', async (stage) => {
    for (const service of services(stage)) {
      const out = await prints(stage, 'describe', service);
      assert.match(out, /^Greeter\.Hello +\{ name: string \} +\{ msg: string \}/m);
      assert.match(out, /^Greeter\.Count +stream +stream/m);
    }
  }),
  row('call', 'calls both, relays what handlers answer, and says in one line what is wrong', async (stage) => {
    for (const service of services(stage)) {
      const hello = ['call', service, 'Greeter.Hello'];
      assert.deepEqual(JSON.parse(await prints(stage, ...hello, '{"name":"John"}')), { msg: 'Hello John' });
      const piped = await run(stage, [...hello, '-', '--json'], '{"name":"Ann"}');
      assert.equal(piped.out, '{"msg":"Hello Ann"}\n');
      const many = await prints(stage, ...hello, '{"name":"x"}', '--repeat', '200', '--concurrency', '8');
      assert.match(many, /200 succeeded, 0 failed/);
      const failures: readonly (readonly [number, RegExp, readonly string[]])[] = [
        [1, /taken/, ['call', service, 'Greeter.Fail', '{"code":409,"detail":"taken"}']],
        [2, /not JSON/, [...hello, '{name}']],
        [3, /no endpoint|Greeter\.Helo/, ['call', service, 'Greeter.Helo']],
        [3, /did you mean/, ['call', `${service}s`, 'Greeter.Hello']],
      ];
      for (const [code, words, line] of failures) {
        const failed = await run(stage, line);
        assert.equal(failed.code, code, `${line.join(' ')}: ${failed.err}`);
        assert.match(failed.err, words);
        assert.equal(failed.err.trimEnd().split('\n').length, 1, failed.err);
        assert.equal(failed.out, '');
      }
    }
  }),
  row('stream', 'streams from both, and with both', async (stage) => {
    for (const service of services(stage)) {
      const counted = await prints(stage, 'stream', service, 'Greeter.Count', '{"to":3}');
      assert.deepEqual(
        counted
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line)),
        [{ value: 1 }, { value: 2 }, { value: 3 }],
      );
    }
    const chat = await prints(stage, 'stream', stage.tsService, 'Greeter.Chat', '{"text":"a"}', '{"text":"b"}');
    assert.deepEqual(chat, '{"text":"A"}\n{"text":"B"}\n');
  }),
  row('publish', 'reaches Go and TypeScript subscribers, and `subscribe` prints what both publish', async (stage) => {
    const go = await stage.goServer();
    const ts = await stage.tsServer();
    const text = randomUUID();
    using listening = new TsMicroCommand(stage.nats.address, ['subscribe', 'greeter.>']);
    await eventually('it has subscribed', () => listening.err.includes('subscribed to greeter.>'), 30_000);
    // They share a queue with whoever else is there, so it is sent until each has had one.
    await eventually(
      'both hear it',
      async () => {
        await prints(stage, 'publish', 'greeter.say', JSON.stringify({ text }));
        const goHeard = go.lines.some((line) => line.event === 'say' && line.text === text);
        return goHeard && ts.said.includes(text);
      },
      60_000,
    );
    const goText = `go ${text}`;
    await (await stage.goClient()).command({ op: 'publish', topic: 'greeter.say', body: { text: goText } });
    await eventually('it prints both', () => listening.out.includes(`"${text}"`) && listening.out.includes(goText));
    assert.equal((await listening.interrupt()).code, 0);
  }),
  row('watch', 'prints a Go node that joins and leaves', async (stage) => {
    using watching = new TsMicroCommand(stage.nats.address, ['watch']);
    for (const service of services(stage))
      await eventually(`${service} is there`, () => watching.out.includes(`= is there  ${service} `), 30_000);
    const name = `go.${randomUUID().slice(0, 8)}`;
    const node = await stage.startGo('server', '--name', name);
    await eventually('it joined', () => new RegExp(`\\+ (joined|registered) +${name} `).test(watching.out), 30_000);
    await node.stop();
    await eventually('it left', () => new RegExp(`- (left|gone) +${name} `).test(watching.out), 30_000);
    assert.equal((await watching.interrupt()).code, 0);
  }),
  row('health', 'asks every node, and counts a Go node that answers as well', async (stage) => {
    const out = await prints(stage, 'health');
    assert.match(out, new RegExp(`^${stage.goService} .*answers; no Debug\\.Health`, 'm'));
    assert.match(out, new RegExp(`^${stage.tsService} .* ok `, 'm'));
  }),
  row('stats', 'shows what TypeScript nodes did, and says that Go nodes do not tell', async (stage) => {
    const { code, out, err } = await run(stage, ['stats']);
    assert.equal(code, 0, err);
    assert.match(out, new RegExp(`^${stage.tsService} .* \\d`, 'm'));
    assert.match(`${out}${err}`, new RegExp(`${stage.goService}.*: answers, and has no Debug\\.Stats`));
  }),
  row('top', 'prints views of both kinds of node without a terminal', async (stage) => {
    const out = await prints(stage, 'top', '--count', '2', '--interval', '100ms');
    for (const service of services(stage)) assert.match(out, new RegExp(`^${service} `, 'm'));
  }),
  {
    ...row('top', 'obeys its keys in a real terminal, and leaves it as it was', async (stage) => {
      await inTmux(async (tmux) => {
        await tmux.type(tsMicroCommandLine(stage.nats.address, 'top', '--interval', '200ms'), 'Enter');
        await tmux.shows(/requests\/s/);
        for (const service of services(stage)) await tmux.shows(new RegExp(`^${service} `, 'm'));
        await tmux.type('r');
        await tmux.shows(/sorted by requests/);
        await tmux.type('/', stage.tsService, 'Enter');
        await eventually('it filters', async () => !new RegExp(`^${stage.goService} `, 'm').test(await tmux.screen()));
        await tmux.type('q');
        await eventually('it leaves', async () => !(await tmux.screen()).includes('requests/s'));
        // Typed again, as a program that is about to end still reads what is typed.
        await eventually('the shell answers', async () => {
          await tmux.type('echo "still $((40 + 2))"', 'Enter');
          return /^still 42/m.test(await tmux.screen());
        });
      });
    }),
    id: 'ts-micro-top-tmux',
  },
  row('doctor', 'finds nothing wrong, and counts the nodes of each kind', async (stage) => {
    const out = await prints(stage, 'doctor');
    assert.match(out, /All is well\./);
    assert.match(out, /of Go Micro or others/);
  }),
  row('definition', 'writes the definition of a Go and of a TypeScript service', async (stage) => {
    for (const service of services(stage)) {
      const out = await prints(stage, 'definition', service);
      assert.match(out, /from '@ts-micro\/definition'/);
      assert.match(out, /Greeter\.Hello/);
    }
  }),
  row('completion', 'completes the names of both from the registry', async (stage) => {
    assert.match(await prints(stage, 'completion', 'bash'), /complete -o default/);
    const named = (await prints(stage, 'complete', '--', 'call', '')).split('\n');
    for (const service of services(stage)) {
      assert.ok(named.includes(service), named.join());
      const endpoints = await prints(stage, 'complete', '--', 'call', service, 'Greeter.H');
      assert.equal(endpoints, 'Greeter.Hello\n');
    }
  }),
  row('flags', 'lists what chooses plugins and servers', async (stage) => {
    assert.match(await prints(stage, 'flags'), /nats_address/);
  }),
];

interface Tmux {
  /** Types words, and keys by tmux' names. */
  type(...keys: string[]): Promise<void>;
  screen(): Promise<string>;
  shows(expected: RegExp): Promise<unknown>;
}

/** A shell in a terminal of 120 columns. Throws {@link NotRun} where there is no tmux. */
async function inTmux(play: (tmux: Tmux) => Promise<void>): Promise<void> {
  if (spawnSync('tmux', ['-V']).status !== 0) throw new NotRun('tmux is not on this machine');
  const socket = `ts-micro-${randomUUID().slice(0, 8)}`;
  const tmux = async (...words: string[]): Promise<string> =>
    (await promisify(execFile)('tmux', ['-L', socket, '-f', '/dev/null', ...words])).stdout;
  const screen = () => tmux('capture-pane', '-p');
  await tmux('new-session', '-d', '-x', '120', '-y', '30', 'sh');
  try {
    await play({
      type: async (...keys) => {
        for (const key of keys) await tmux('send-keys', ...(key === 'Enter' ? [key] : ['-l', key]));
      },
      screen,
      shows: (expected) => eventually(`it shows ${expected}`, async () => expected.test(await screen()), 30_000),
    });
  } finally {
    await tmux('kill-server').catch(() => {});
  }
}
