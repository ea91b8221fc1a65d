import { connectNats, type NatsConnection } from '@ts-micro/nats';
import golden from './golden/registry.json' with { type: 'json' };

/** The two generations of Go Micro's subjects. */
export const families = {
  new: { query: 'micro.nats.query', watch: 'micro.nats.watch' },
  old: { query: 'micro.registry.nats.query', watch: 'micro.registry.nats.watch' },
} as const;

export type Family = keyof typeof families;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The literal payload of a golden sample. */
export function payload(id: string): string {
  const sample = golden.samples.find((candidate) => candidate.id === id);
  if (sample === undefined) throw new Error(`no golden sample is called ${id}`);
  return sample.text;
}

/** What a Go process does on the wire with one subject family: literal payloads, no NATS headers. */
export class GoPeer implements AsyncDisposable {
  readonly #connection: NatsConnection;
  readonly #family: Family;

  private constructor(connection: NatsConnection, family: Family) {
    this.#connection = connection;
    this.#family = family;
  }

  static async start(servers: string, family: Family): Promise<GoPeer> {
    return new GoPeer(await connectNats({ servers, name: `go ${family}` }), family);
  }

  /** Answers queries: `get` of `name` and `list`. Ends with the returned function. */
  async host(name: string, ...answers: string[]): Promise<() => void> {
    const subscription = this.#connection.subscribe(families[this.#family].query, {
      onMessage: ({ data, reply }) => {
        const { Action, Service } = JSON.parse(decoder.decode(data));
        if (reply === undefined || (Action === 'get' && Service.name !== name)) return;
        for (const answer of answers) this.#connection.publish(reply, encoder.encode(answer));
      },
    });
    await subscription.confirm();
    return () => subscription.unsubscribe();
  }

  async announce(text: string): Promise<void> {
    this.#connection.publish(families[this.#family].watch, encoder.encode(text));
    await this.#connection.flush();
  }

  /** Asks with a literal question and collects the answers until `until` says so. */
  async ask(text: string, until: (answers: readonly string[]) => boolean): Promise<string[]> {
    const reply = this.#connection.newInbox();
    const heard = await this.listen(reply);
    this.#connection.publish(families[this.#family].query, encoder.encode(text), { reply });
    await waitFor(() => until(heard));
    return heard;
  }

  /** Everything published on a subject from now on. */
  async listen(subject: string = families[this.#family].watch): Promise<string[]> {
    const heard: string[] = [];
    const subscription = this.#connection.subscribe(subject, {
      onMessage: ({ data }) => heard.push(decoder.decode(data)),
    });
    await subscription.confirm();
    return heard;
  }

  /** Everything that reached the server before has been heard once this resolves. */
  flush(): Promise<void> {
    return this.#connection.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }
}

/** Polls until it is so; rejects after 10 s. */
export async function waitFor(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error('not so after 10 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
