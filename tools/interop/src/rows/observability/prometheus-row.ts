import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { openTelemetry } from '@ts-micro/opentelemetry';
import { createClient } from '@ts-micro/service';
import type { Row } from '../../matrix/row.ts';
import { eventually } from '../../matrix/wait.ts';

const exporterPort = 19_464;
const listen = '127.0.0.1:19090';

/** Where Prometheus is: `PROMETHEUS_BIN`, else on PATH; undefined where it is nowhere. */
export function findPrometheus(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const program = environment.PROMETHEUS_BIN ?? 'prometheus';
  return spawnSync(program, ['--version']).status === 0 ? program : undefined;
}

/** The metrics of calls to Go, in a real Prometheus. */
export function prometheusRow(program: string): Row {
  return {
    id: 'prometheus',
    title: 'a Prometheus has the calls of a TypeScript client to a Go service',
    direction: 'ts->go',
    generations: ['v5'],
    run: async (stage) => {
      await stage.goServer();
      const peer = await stage.tsClient();
      const exporter = new PrometheusExporter({ host: '127.0.0.1', port: exporterPort, preventServerStart: true });
      const meterProvider = new MeterProvider({ readers: [exporter] });
      const folder = mkdtempSync(join(tmpdir(), 'interop-prometheus-'));
      const targets = `static_configs: [{ targets: ['127.0.0.1:${exporterPort}'] }]`;
      const config = `scrape_configs:\n  - job_name: interop\n    scrape_interval: 1s\n    ${targets}\n`;
      writeFileSync(join(folder, 'prometheus.yml'), config);
      await exporter.startServer();
      const files = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`];
      const prometheus = spawn(program, [...files, `--web.listen-address=${listen}`], { stdio: 'ignore' });
      const exited = once(prometheus, 'exit');
      try {
        const { middleware } = openTelemetry({ meterProvider });
        await using client = createClient({ ...peer.plugins, middleware: [middleware] });
        for (let call = 0; call < 5; call++) await client.call(stage.goService, 'Greeter.Echo', { call });
        const method = `${stage.goService}/Greeter.Echo`;
        const found = await eventually('the calls', () =>
          ask(`rpc_client_call_duration_count{rpc_method="${method}"}`),
        );
        assert.equal(found, '5');
      } finally {
        prometheus.kill();
        await exited;
        await meterProvider.shutdown();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

/** The first value of a query; undefined where there is none. */
async function ask(query: string): Promise<string | undefined> {
  const url = `http://${listen}/api/v1/query?query=${encodeURIComponent(query)}`;
  const response = await fetch(url, { headers: { connection: 'close' } });
  const { data } = (await response.json()) as { data?: { result?: readonly { value: readonly [number, string] }[] } };
  return data?.result?.[0]?.value[1];
}
