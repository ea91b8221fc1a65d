import { fileURLToPath } from 'node:url';
import { type JetStreamBroker, jetstreamBroker } from '@ts-micro/broker-jetstream';
import { type NatsServer, startNatsServer } from '@ts-micro/testkit/nats';
import { BareNats } from '../bare-nats.ts';
import type { Generation } from '../generation.ts';
import { PeerProcess } from '../peer-process.ts';
import { BackendWorld } from './backends/backend-world.ts';
import { type ClientLibrary, connectWith } from './client-library.ts';
import { buildMicroCommand, type CommandResult, runMicro } from './micro-command.ts';
import { buildNatsCommand, runNats } from './nats-command.ts';
import { Resources } from './resources.ts';
import { TsPeer, type TsPeerOptions } from './ts-peer.ts';

type TsServiceOptions = Omit<TsPeerOptions, 'address' | 'library' | 'complaints' | 'makePlugins'>;

/** What the rows of one generation play on: a NATS server, and a server and a client of each language. */
export class Stage implements AsyncDisposable {
  /** The names that the two standing greeters go by. */
  readonly goService = 'go.greeter';
  readonly tsService = 'ts.greeter';
  readonly generation: Generation;
  readonly nats: NatsServer;
  readonly bare: BareNats;
  /** Every Go process that was started here. */
  readonly goPeers: PeerProcess[] = [];
  /** Warnings and errors of our side. */
  readonly complaints: string[] = [];
  readonly #binary: string;
  readonly #go: string;
  #micro: string | undefined;
  #nats: string | undefined;
  readonly #library: ClientLibrary;
  readonly #world: BackendWorld | undefined;
  readonly #opened: Resources = new Resources();
  #goServer: PeerProcess | undefined;
  #goClient: PeerProcess | undefined;
  #tsServer: TsPeer | undefined;
  #tsClient: TsPeer | undefined;

  static async open(generation: Generation, binary: string, go: string, library: ClientLibrary): Promise<Stage> {
    const nats = await startNatsServer({ jetstream: true });
    const bare = await BareNats.connect(nats.address);
    const world = generation.isWithoutNats ? await BackendWorld.start() : undefined;
    return new Stage(generation, binary, go, library, nats, bare, world);
  }

  constructor(
    generation: Generation,
    binary: string,
    go: string,
    library: ClientLibrary,
    nats: NatsServer,
    bare: BareNats,
    world: BackendWorld | undefined,
  ) {
    this.generation = generation;
    this.#binary = binary;
    this.#go = go;
    this.#library = library;
    this.nats = this.#opened.use(nats);
    this.bare = this.#opened.use(bare);
    this.#world = world && this.#opened.use(world);
  }

  /** The standing Go greeter. */
  async goServer(): Promise<PeerProcess> {
    this.#goServer ??= await this.startGo('server', '--name', this.goService);
    return this.#goServer;
  }

  /** The standing Go client. */
  async goClient(): Promise<PeerProcess> {
    this.#goClient ??= await this.startGo('client');
    return this.#goClient;
  }

  /** The standing TypeScript greeter. */
  async tsServer(): Promise<TsPeer> {
    this.#tsServer ??= await this.serveTs({ name: this.tsService });
    return this.#tsServer;
  }

  /** The standing TypeScript client. */
  async tsClient(): Promise<TsPeer> {
    this.#tsClient ??= await this.openTs();
    return this.#tsClient;
  }

  /** One more Go process; the row that starts it closes it, and the stage what a row that failed has left. */
  startGo(command: string, ...parameters: string[]): Promise<PeerProcess> {
    return this.startGoWith({}, command, ...parameters);
  }

  /** The same with variables of its environment. */
  async startGoWith(
    env: Readonly<Record<string, string>>,
    command: string,
    ...parameters: readonly string[]
  ): Promise<PeerProcess> {
    const all = [command, '--nats', this.nats.address, '--until-eof', ...parameters];
    const peer = await PeerProcess.start(this.#binary, all, { env: { ...this.#world?.env, ...env } });
    this.goPeers.push(peer);
    return this.#opened.use(peer);
  }

  /** One run of Go Micro's command line on the registry and transport of this stage. Throws where it panics. */
  micro(...parameters: string[]): Promise<CommandResult> {
    return this.microReading('', ...parameters);
  }

  /** The same with something to read on its standard input. */
  microReading(input: string, ...parameters: string[]): Promise<CommandResult> {
    this.#micro ??= buildMicroCommand(this.#go);
    return runMicro(this.#micro, this.nats.address, parameters, input);
  }

  /** What NATS' own command line prints on the server of this stage. */
  natsCommand(...words: readonly string[]): Promise<string> {
    this.#nats ??= buildNatsCommand(this.#go);
    return runNats(this.#nats, this.nats.address, ...words);
  }

  /** One more TypeScript peer, closed likewise. */
  async openTs(): Promise<TsPeer> {
    return this.#opened.use(await TsPeer.open(this.#tsOptions({})));
  }

  /** A broker whose streams are those of Go Micro's `events/natsjs`. */
  async openEvents(): Promise<JetStreamBroker> {
    const { connection, close } = await connectWith(this.#library, this.nats.address);
    this.#opened.use({ [Symbol.asyncDispose]: close });
    return this.#opened.use(jetstreamBroker({ connection, dialect: 'natsjs' }));
  }

  /** One more TypeScript greeter. */
  async serveTs(options: TsServiceOptions): Promise<TsPeer> {
    return this.#opened.use(await TsPeer.serve(this.#tsOptions(options)));
  }

  /** A TypeScript greeter in a process of its own, to be killed. */
  async startTsProcess(name: string, version: string): Promise<PeerProcess> {
    const program = fileURLToPath(new URL('ts-greeter.js', import.meta.url));
    return this.#opened.use(await PeerProcess.start(process.execPath, [program, this.nats.address, name, version]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened[Symbol.asyncDispose]();
  }

  #tsOptions(options: TsServiceOptions): TsPeerOptions {
    const { complaints } = this;
    const makePlugins = this.#world?.makePlugins;
    return { ...options, address: this.nats.address, library: this.#library, complaints, makePlugins };
  }
}
