import { type NatsServer, startNatsServer } from '@ts-micro/testkit/nats';

/** Two servers, each a region's cluster of one, joined by gateways. */
export interface Supercluster extends AsyncDisposable {
  readonly north: NatsServer;
  readonly south: NatsServer;
}

/** Starts them and waits until each has heard of the other. */
export async function startSupercluster(): Promise<Supercluster> {
  const north = await startNatsServer({ config: 'gateway { name: north, listen: "127.0.0.1:-1" }' });
  const { gateway } = (await north.monitor('varz')) as { gateway: { port: number } };
  const remote = `{ name: north, url: "nats://127.0.0.1:${gateway.port}" }`;
  const south = await startNatsServer({
    config: `gateway { name: south, listen: "127.0.0.1:-1", gateways: [${remote}] }`,
  });
  const dispose = async () => {
    await Promise.all([north[Symbol.asyncDispose](), south[Symbol.asyncDispose]()]);
  };
  try {
    await joined(north, 'south');
    await joined(south, 'north');
  } catch (error) {
    await dispose();
    throw error;
  }
  return { north, south, [Symbol.asyncDispose]: dispose };
}

/** Waits until a server has a gateway to and from another region. */
export async function joined(server: NatsServer, remote: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const page = (await server.monitor('gatewayz')) as Record<`${'in' | 'out'}bound_gateways`, object>;
    if (remote in page.outbound_gateways && remote in page.inbound_gateways) return;
    if (performance.now() > deadline) throw new Error(`regions: ${server.address} has no gateway to ${remote}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
