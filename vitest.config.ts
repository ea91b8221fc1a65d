import { defineConfig } from 'vitest/config';
import { CountReporter } from './tools/setup/count-reporter.ts';

/**
 * Runs every package's tests from source: the private export condition points siblings at `src`, so nothing is built
 * first.
 */
export default defineConfig({
  ssr: { resolve: { conditions: ['@ts-micro/source'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'tools/*/test/**/*.test.ts'],
    // What needs etcd, RabbitMQ or Kafka: `npm run backends` runs it.
    exclude: process.env.WITH_BACKENDS ? ['**/node_modules/**'] : ['**/node_modules/**', '**/*.backend.test.ts'],
    setupFiles: ['tools/setup/leaked-handles.ts'],
    reporters: ['default', new CountReporter()],
    // One more than CI has cores, as tests of servers wait for most of their time.
    maxWorkers: 3,
    retry: 0,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // A bound for a loaded machine: what is polled for comes, or the test fails then.
    expect: { poll: { timeout: 10_000, interval: 20 } },
  },
});
