import { MicroError } from '@ts-micro/core';
import { connectNats } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { Findings } from '../../harness/findings.ts';
import type { Row } from '../../row.ts';

export const firstConnect: Row = {
  id: 'first-connect',
  fault: 'the first connect while NATS is down, and to a server that does not take the password',
  expected:
    'a clear error in bounded time, or it waits where asked to; refused credentials surface at once, waiting or not',
  async run() {
    const findings = new Findings();
    await using server = await startNatsServer();
    await server.kill();
    const servers = server.address;
    const refused = await outcomeOf(() => connectNats({ servers, connectTimeoutMs: 2000 }));
    findings.must(refused.code === 'unavailable' && refused.tookMs < 2500, `down: ${refused.text}`);
    const waiting = connectNats({ servers, waitForFirstConnect: true, signal: AbortSignal.timeout(20_000) });
    await new Promise((resolve) => setTimeout(resolve, 2000));
    await server.restart();
    const startedMs = performance.now();
    await using connection = await waiting;
    const tookMs = Math.round(performance.now() - startedMs);
    findings.must(
      connection.state.status === 'connected' && tookMs < 1000,
      `waiting: connected ${tookMs} ms after the start`,
    );
    await server.restart({ config: 'authorization { user: a, password: b }' });
    for (const waitForFirstConnect of [false, true]) {
      const wrong = await outcomeOf(() => connectNats({ servers, user: 'a', password: 'c', waitForFirstConnect }));
      const how = waitForFirstConnect ? 'wrong password, waiting' : 'wrong password';
      findings.must(wrong.code === 'unauthorized' && wrong.tookMs < 1000, `${how}: ${wrong.text}`);
    }
    return findings.outcome;
  },
};

async function outcomeOf(
  connect: () => Promise<AsyncDisposable>,
): Promise<{ code: string; tookMs: number; text: string }> {
  const beganMs = performance.now();
  let code = 'connected';
  try {
    await (await connect())[Symbol.asyncDispose]();
  } catch (error) {
    code = MicroError.is(error) ? error.code : 'untyped';
  }
  const tookMs = Math.round(performance.now() - beganMs);
  return { code, tookMs, text: `${code} after ${tookMs} ms` };
}
