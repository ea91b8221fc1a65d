import { type ErrorCode, MicroError, type ServiceRecord } from '@ts-micro/core';
import { bounded } from '@ts-micro/kit';
import type { Session } from '../fleet/session.ts';
import { compareClocks } from './clocks.ts';
import type { Finding } from './finding.ts';
import { tryConnection, tryDiscovery, tryEvents, tryRegistration, trySockets, tryThrowaway } from './tries.ts';

const advices: Readonly<Partial<Record<ErrorCode, string>>> = {
  unauthorized:
    'give this account the permission that the message names, or other credentials (--nats_user, --nats_creds)',
  unavailable: 'see that the server runs and that its address is right: --nats_address=HOST:PORT',
  timeout: 'see whether the server, or the network to it, is overloaded; --timeout gives each try more time',
};

/**
 * Tries what a service needs, one thing after the other, and gives a finding for each as it is made. Without a
 * connection the rest is skipped; any other failure is told and the tries go on. Leaves nothing behind.
 */
export async function* examine(session: Session, timeoutMs: number): AsyncGenerator<Finding> {
  const { transport, broker, registry } = session.plugins;
  const kinds = `transport ${transport.name}, broker ${broker.name}, registry ${registry.name}`;
  yield { about: 'program', verdict: 'good', words: `Node ${process.version} on ${process.platform}; ${kinds}` };
  const attempt = (about: string, work: (session: Session) => Promise<string>) =>
    found(about, () => bounded(work(session), session, timeoutMs, `doctor: ${about}`));
  const connection = await attempt('connection', tryConnection);
  yield connection;
  const tries = Object.entries({
    'requests and answers': trySockets,
    events: tryEvents,
    discovery: tryDiscovery,
    registration: tryRegistration,
    'throwaway service': tryThrowaway,
  });
  for (const [about, work] of tries) {
    yield connection.verdict === 'bad'
      ? { about, verdict: 'skipped', words: 'there is no connection' }
      : await attempt(about, work);
  }
  if (connection.verdict === 'bad') return;
  const records = await registry.listServices(session).catch((): readonly ServiceRecord[] => []);
  yield fleet(records);
  yield await compareClocks(session, records, Math.min(timeoutMs, 2000));
}

async function found(about: string, work: () => Promise<string>): Promise<Finding> {
  try {
    return { about, verdict: 'good', words: await work() };
  } catch (thrown) {
    const error = MicroError.from(thrown, 'internal', about);
    if (error.code === 'canceled') throw error;
    return { about, verdict: 'bad', words: error.message, advice: advices[error.code] };
  }
}

/** Says who is there: a node of ts-micro tells so in its metadata. */
function fleet(records: readonly ServiceRecord[]): Finding {
  const nodes = records.flatMap((record) => record.nodes);
  const own = nodes.filter(({ metadata }) => metadata['ts-micro-rpc'] !== undefined).length;
  const words = `${records.length} versions of services: ${own} nodes of ts-micro, ${nodes.length - own} of Go Micro or others`;
  const lone = records.filter((record) => record.nodes.length === 0).map((record) => record.name);
  if (lone.length === 0) return { about: 'fleet', verdict: 'good', words };
  return { about: 'fleet', verdict: 'doubtful', words: `${words}; without a node: ${lone.join(', ')}` };
}
