import { defineConfig } from 'vitest/config';
import { foldersWithServers } from './tools/setup/backends.mjs';
import { CountReporter } from './tools/setup/count-reporter.ts';

const backends = '**/*.backend.test.ts';

/**
 * Runs every package's tests from source: the private export condition points siblings at `src`, so nothing is built
 * first.
 */
export default defineConfig({
  ssr: { resolve: { conditions: ['@ts-micro/source'] } },
  test: {
    setupFiles: ['tools/setup/leaked-handles.ts'],
    reporters: ['default', new CountReporter()],
    // One more than CI has cores, as tests of servers wait for most of their time.
    maxWorkers: 3,
    retry: 0,
    // What hangs is ended by bounds of its own long before: processes start slowly where others keep the cores.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A bound for a loaded machine: what is polled for comes, or the test fails then.
    expect: { poll: { timeout: 20_000, interval: 20 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'tests',
          include: ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'tools/*/test/**/*.test.ts'],
          exclude: ['**/node_modules/**', backends],
        },
      },
      // Those of etcd, RabbitMQ and Kafka whose servers are there. After all others and one file after the other: two
      // cores start no three such servers at once in time.
      {
        extends: true,
        test: {
          name: 'backends',
          include: foldersWithServers().map((folder) => `${folder}/test/${backends}`),
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
