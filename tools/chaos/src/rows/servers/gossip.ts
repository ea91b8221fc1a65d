import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startNatsCluster } from '@ts-micro/testkit/nats';
import { Findings } from '../../harness/findings.ts';
import { Parts } from '../../harness/parts.ts';
import { connectPlugins } from '../../harness/plugins.ts';
import { until } from '../../harness/until.ts';
import type { Row } from '../../row.ts';

const overTls: Row = {
  id: 'gossip-tls',
  fault:
    'a TLS cluster that tells of its servers by IP address, though its certificate is for a name; the one node that was configured SIGKILLed',
  expected: 'a client goes on to another node, checked against the name that was configured',
  async run() {
    const findings = new Findings();
    const folder = mkdtempSync(join(tmpdir(), 'ts-micro-chaos-'));
    try {
      makeCertificate(folder);
      const tls = `tls { cert_file: "${folder}/server.crt", key_file: "${folder}/server.key" }`;
      await using parts = new Parts();
      const cluster = parts.use(await startNatsCluster({ config: tls }));
      const [first] = cluster.nodes;
      if (first === undefined) throw new Error('there is no node');
      const connect = { tls: { caFile: join(folder, 'server.crt') } };
      const { connection } = parts.use(await connectPlugins(`tls://localhost:${first.port}`, 'tls', { connect }));
      await until(() => connection.state.servers.length >= 3, 5000);
      findings.must(connection.state.servers.length >= 3, `knows ${connection.state.servers.length} servers`);
      await first.kill();
      const elsewhere = () =>
        connection.state.status === 'connected' && !connection.state.server?.endsWith(`:${first.port}`);
      const backMs = await until(elsewhere, 10_000);
      findings.must(backMs !== undefined && backMs < 5000, `on another node after ${backMs} ms`);
      await connection.flush();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return findings.outcome;
  },
};

const silent: Row = {
  id: 'gossip-silent',
  fault: 'servers that tell of themselves by an address which nobody answers at; both killed, one comes back after 5 s',
  expected: 'a client is back within 2 s of the return of the server that it was configured with',
  async run() {
    const findings = new Findings();
    await using parts = new Parts();
    // An address for documentation, to which nothing is routed.
    const cluster = parts.use(await startNatsCluster({ size: 2, config: 'client_advertise: "192.0.2.1:4222"' }));
    const [first] = cluster.nodes;
    if (first === undefined) throw new Error('there is no node');
    const { connection } = parts.use(await connectPlugins(first.address, 'silent'));
    await until(() => connection.state.servers.length > 1, 5000);
    findings.must(
      connection.state.servers.includes('192.0.2.1:4222'),
      `told of ${connection.state.servers.join(', ')}`,
    );
    for (let round = 0; round < 2; round++) {
      await Promise.all(cluster.nodes.map((node) => node.kill()));
      await until(() => connection.state.status === 'reconnecting', 5000);
      await sleep(5000);
      await first.restart();
      const backMs = await until(() => connection.state.status === 'connected', 20_000);
      findings.must(backMs !== undefined && backMs < 2000, `back ${backMs} ms after its return`);
      await Promise.all(cluster.nodes.slice(1).map((node) => node.restart()));
      await cluster.formed();
    }
    return findings.outcome;
  },
};

/** A certificate for `localhost` that is its own authority. Needs the openssl program. */
function makeCertificate(folder: string): void {
  writeFileSync(join(folder, 'empty.cnf'), '[req]\ndistinguished_name=name\n[name]\n');
  const parameters = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost';
  const names = ['-addext', 'subjectAltName=DNS:localhost', '-config', 'empty.cnf'];
  const files = ['-keyout', 'server.key', '-out', 'server.crt'];
  execFileSync('openssl', [...parameters.split(' '), ...names, ...files], { cwd: folder, stdio: 'pipe' });
}

export const gossipRows: readonly Row[] = [overTls, silent];
