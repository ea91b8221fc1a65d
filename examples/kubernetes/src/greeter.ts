import '@ts-micro/broker-nats/register';
import '@ts-micro/registry-nats/register';
import '@ts-micro/transport-nats/register';
import { probes } from '@ts-micro/probes';
import { createService, type Environment, fromFlags, type RunOptions, run } from '@ts-micro/service';

export interface GreeterOptions extends RunOptions {
  /** Told of the port that answers probes. */
  readonly onProbes?: ((port: number) => void) | undefined;
}

/** Runs a greeter by flags and environment, with probes on `PROBES_PORT`, until it is told to end. */
export async function runGreeter(
  argv: readonly string[],
  env: Environment,
  { onProbes, ...options }: GreeterOptions = {},
): Promise<number> {
  await using plugins = fromFlags([...argv], env);
  const greeter = createService({ name: 'greeter', version: '1.0.0', ...plugins });
  greeter.handle('Greeter.Hello', ({ name }: { name: string }) => ({ msg: `Hello ${name}` }));
  // Before the start, which may have to wait for NATS; until after the stop, through all of the draining.
  await using served = await probes({ services: [greeter], port: Number(env.PROBES_PORT ?? 8080) });
  onProbes?.(served.port);
  return await run(greeter, options);
}
