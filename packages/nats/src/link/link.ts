import { type AbortOptions, type Logger, MicroError } from '@ts-micro/core';
import { abortable, ClosableBase, isTransferred, randomToken } from '@ts-micro/kit';
import type {
  NatsConnection,
  NatsPublishOptions,
  NatsState,
  NatsStatus,
  NatsSubscribeOptions,
  NatsSubscription,
} from '../connection/connection.ts';
import { mapNatsError } from '../error.ts';
import { clientHeaders, type EncodedHeaders, encodeHeaders } from '../headers.ts';
import { payloadOf } from '../vendor/server-info.ts';
import { Backlog } from './backlog.ts';
import { joined } from './joined.ts';
import type { LinkSettings } from './link-settings.ts';
import { LinkState, toldServers } from './link-state.ts';
import { LinkSubscription } from './link-subscription.ts';
import { isSubscriptionLimit, refuseLimited, refuseUnfound } from './refused-subscriptions.ts';
import { type Complaint, complaintOf, complaintOfEvent, type DenialListener, ServerErrors } from './server-errors.ts';
import type { StatusEvent, VendorConnection } from './vendor-connection.ts';
import { type Wait, WaitList } from './wait-list.ts';

const flushTimeoutMs = 10_000;
const drainTimeoutMs = 5_000;
const leaveAgainMs = 1000;
const noHeaders = Object.freeze({});
const noBytes = new Uint8Array(0);

/** A {@link NatsConnection} over a connection of the NATS client, its own or a borrowed one. */
export class NatsLink extends ClosableBase implements NatsConnection {
  readonly #vendor: VendorConnection;
  readonly #settings: LinkSettings;
  readonly #events: AsyncIterable<StatusEvent> & { stop?(): void };
  readonly #subscriptions = new Set<LinkSubscription>();
  readonly #flushes = new WaitList();
  readonly #readyWaits = new WaitList();
  // The client writes defaults into the options it is given, and reads them only during the call.
  readonly #publishOptions: { reply: string | undefined; headers: EncodedHeaders | undefined } = {
    reply: undefined,
    headers: undefined,
  };
  readonly logger: Logger;
  readonly #state: LinkState;
  readonly #serverErrors: ServerErrors;
  readonly #backlog = new Backlog(() => this.#flush(undefined));
  #isConnected: boolean;
  #breakDrain: (() => void) | undefined;
  #leaving: NodeJS.Timeout | undefined;
  #maxPayload = 1024 * 1024;
  #takesHeaders = false;
  /** The server's last words, which may be why the connection ends. */
  #lastComplaint: MicroError | undefined;

  constructor(vendor: VendorConnection, settings: LinkSettings) {
    super('nats connection');
    this.#vendor = vendor;
    this.#settings = settings;
    this.logger = settings.logger;
    this.#serverErrors = new ServerErrors(this.logger);
    const first: NatsState = {
      status: 'connecting',
      server: undefined,
      servers: settings.servers,
      reconnects: 0,
      lost: [],
    };
    this.#state = new LinkState(first, this.logger);
    // A client that is between two servers has no INFO.
    this.#isConnected = vendor.info !== undefined && !vendor.isClosed() && !vendor.isDraining();
    this.#change(this.#isConnected ? 'connected' : 'reconnecting');
    this.#events = vendor.status();
    settings.own?.echo.onSentence((sentence) => this.#complained(complaintOf(sentence, this.address)));
    void this.#follow();
    void vendor.closed().then((error) => this.#vendorClosed(error));
  }

  get state(): NatsState {
    return this.#state.current;
  }

  get outage(): MicroError | undefined {
    const { status, lost } = this.state;
    if (status === 'reconnecting') return this.#settings.own?.dialFailure() ?? this.#lastComplaint;
    if (status !== 'connected' || lost.length === 0) return undefined;
    return unavailable(`nats: subscriptions are lost: ${lost.map((subject) => JSON.stringify(subject)).join(', ')}`);
  }

  get address(): string {
    return this.state.server ?? this.#settings.servers[0] ?? '';
  }

  get maxPayload(): number {
    return payloadOf(this.#vendor.info?.max_payload ?? this.#maxPayload);
  }

  /** For its subscriptions: how many pings were written until now. */
  get asked(): number {
    return this.#settings.own?.echo.asked ?? 0;
  }

  get inboxPrefix(): string {
    return this.#settings.inboxPrefix;
  }

  newInbox(prefix: string = this.inboxPrefix): string {
    return `${prefix}.${randomToken()}`;
  }

  async ready(options: AbortOptions = {}): Promise<void> {
    this.lifetime.assertOpen(options);
    if (this.#isConnected) return;
    const { connectTimeoutMs } = this.#settings;
    await this.#readyWaits.add({
      signal: options.signal,
      what: 'nats: waiting for the connection',
      timeoutMs: options.signal ? undefined : connectTimeoutMs,
      onTimeout: () => unavailable(`nats: not connected to ${this.address} within ${connectTimeoutMs} ms`),
    });
  }

  onStateChange(listener: (state: NatsState) => void): () => void {
    return this.#state.follow(listener);
  }

  onPublishDenied(listener: DenialListener): () => void {
    return this.#serverErrors.onPublishDenied(listener);
  }

  publish(subject: string, data: Uint8Array, options?: NatsPublishOptions): void {
    if (!this.#isConnected) throw this.#refusal('publishing', subject);
    if (isTransferred(data))
      throw new MicroError('invalid', `nats: publishing on "${subject}": the buffer of the body was transferred`);
    const hasHeaders = options?.headers !== undefined || options?.status !== undefined;
    const header = hasHeaders ? encodeHeaders(options.headers ?? noHeaders, options.status) : noBytes;
    const prefix = options?.prefix;
    const size = header.length + data.length + (prefix === undefined ? 0 : prefix.length);
    const { maxPayload } = this;
    if (size > maxPayload) {
      throw new MicroError(
        'too_large',
        `nats: publishing on "${subject}": ${size} bytes, the server takes ${maxPayload}`,
      );
    }
    const { write } = this.#settings;
    if (write !== undefined && (header.length === 0 || this.#takesHeaders))
      write(subject, options?.reply, header, data, prefix);
    // The client keeps what it is given until it is written.
    else this.#writeByClient(subject, options?.reply, header, joined(prefix, data));
    this.#backlog.add(size);
  }

  room(options?: AbortOptions): Promise<void> | undefined {
    return this.#isConnected ? this.#backlog.room(options) : undefined;
  }

  subscribe(subject: string, options: NatsSubscribeOptions): NatsSubscription {
    this.lifetime.assertOpen();
    try {
      const subscription = new LinkSubscription(this, this.#vendor, subject, options);
      this.#subscriptions.add(subscription);
      return subscription;
    } catch (error) {
      throw mapNatsError(error, `nats: subscribing to "${subject}"`);
    }
  }

  /** For its subscriptions: one has ended. */
  forget(subscription: LinkSubscription): void {
    this.#subscriptions.delete(subscription);
  }

  /** For its subscriptions: one was lost, or is there again. */
  changed(): void {
    if (this.lifetime.isOpen) this.#change(this.state.status);
  }

  async flush(options: AbortOptions = {}): Promise<void> {
    this.lifetime.assertOpen(options);
    if (!this.#isConnected) throw this.#refusal('flushing');
    await this.#flush(options.signal);
  }

  mark(): (() => boolean) | undefined {
    const echo = this.#settings.own?.echo;
    if (echo === undefined) return undefined;
    const { asked } = echo;
    return () => echo.answered > asked;
  }

  #writeByClient(subject: string, reply: string | undefined, header: Uint8Array, data: Uint8Array): void {
    const vendorOptions = this.#publishOptions;
    vendorOptions.reply = reply;
    vendorOptions.headers = header.length === 0 ? undefined : clientHeaders(header);
    try {
      this.#vendor.publish(subject, data, vendorOptions);
    } catch (error) {
      throw mapNatsError(error, `nats: publishing on "${subject}"`);
    }
  }

  #flush(signal: AbortSignal | undefined): Promise<void> {
    const wait: Wait = {
      signal,
      what: 'nats: flush',
      timeoutMs: flushTimeoutMs,
      onTimeout: () => new MicroError('timeout', `nats: flush: no answer within ${flushTimeoutMs} ms`),
    };
    return this.#flushes.add(wait, (settle) => {
      this.#vendor.flush().then(
        () => settle(),
        (error) => settle(error?.code === 'DISCONNECT' ? this.#brokenFlush() : mapNatsError(error, 'nats: flush')),
      );
    });
  }

  /** A server that ends the connection says why just before. */
  #brokenFlush(): MicroError {
    const reason = this.#lastComplaint;
    return unavailable(`nats: flush: the connection was lost${reason === undefined ? '' : `: ${reason.message}`}`);
  }

  async #follow(): Promise<void> {
    try {
      for await (const event of this.#events) this.#onStatus(event);
    } catch (error) {
      this.logger.error('nats status feed ended', { error });
    }
  }

  #onStatus(event: StatusEvent): void {
    if (!this.lifetime.isOpen) {
      if (event.type === 'staleConnection' || event.type === 'disconnect') this.#breakDrain?.();
      return;
    }
    switch (event.type) {
      case 'staleConnection':
        this.#lost();
        this.#settings.own?.dropStale();
        break;
      case 'disconnect':
        this.#lost();
        break;
      case 'reconnect':
        // The client tells it once more for each dial that ended late.
        if (this.#isConnected) break;
        this.#isConnected = true;
        this.#serverErrors.clear();
        this.#lastComplaint = undefined;
        this.#change('connected', this.state.reconnects + 1);
        this.logger.info('nats reconnected', { server: this.state.server });
        this.#readyWaits.settleAll();
        this.#reasked();
        break;
      case 'update':
        this.#change(this.state.status);
        break;
      case 'ldm':
        void this.#leave();
        break;
      case 'error':
        if (this.#settings.own === undefined) this.#complained(complaintOfEvent(event, this.address));
        break;
    }
  }

  #lost(): void {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    clearTimeout(this.#leaving);
    const reason = this.#lastComplaint;
    this.logger.warn('nats disconnected', { server: this.state.server, ...(reason && { error: reason }) });
    this.#change('reconnecting');
    this.#flushes.settleAll(this.#brokenFlush());
  }

  /** Everything was subscribed again on a new connection. */
  #reasked(): void {
    for (const subscription of this.#subscriptions) subscription.askedAt = this.asked;
    for (const subscription of [...this.#subscriptions]) subscription.retryNow();
  }

  #complained(complaint: Complaint): void {
    const { error, operation } = complaint;
    if (operation === 'subscription') {
      // The client tells its subscription of it after this, where it finds it.
      setImmediate(() => refuseUnfound(complaint, this.#subscriptions));
      return;
    }
    if (isSubscriptionLimit(complaint)) refuseLimited(complaint, this.#subscriptions, this.#settings.own?.echo);
    this.#serverErrors.take(complaint);
    if (operation !== undefined) return;
    this.#lastComplaint = error;
    if (error.code === 'unauthorized') this.#readyWaits.settleAll(error);
  }

  /** The server is shutting down in lame duck mode; the client would stay until it is thrown out. */
  async #leave(): Promise<void> {
    const { own } = this.#settings;
    const { server = '', servers, reconnects } = this.state;
    if (own === undefined || !this.#isConnected) return;
    const hasOther = await own.leaveAddress(server, servers);
    // Where all shut down, none is better: it serves until it throws its clients out.
    if (!hasOther) return this.#leaveLater(reconnects);
    if (!this.#isConnected || this.state.reconnects !== reconnects) return;
    clearTimeout(this.#leaving);
    this.logger.info('nats server is shutting down, changing to another', { server });
    try {
      await abortable(this.#flush(undefined), AbortSignal.timeout(1000), 'nats: flush');
      await this.#vendor.reconnect();
    } catch (error) {
      this.logger.debug('nats server could not be flushed, staying with it', { error });
      this.#leaveLater(reconnects);
    }
  }

  /** Tries again, unless it is on another connection by now. */
  #leaveLater(reconnects: number): void {
    if (!this.#isConnected || this.state.reconnects !== reconnects) return;
    clearTimeout(this.#leaving);
    this.#leaving = setTimeout(() => void this.#leave(), leaveAgainMs).unref();
  }

  #change(status: NatsStatus, reconnects: number = this.state.reconnects): void {
    const { info } = this.#vendor;
    if (info !== undefined) {
      this.#maxPayload = info.max_payload;
      this.#takesHeaders = info.headers === true;
    }
    const server = (this.#isConnected && this.#vendor.getServer()) || this.state.server;
    const known =
      info === undefined
        ? this.state.servers
        : [...this.#settings.servers, ...(this.#settings.ignoreGossip === true ? [] : toldServers(info))];
    const servers = [...new Set(server === undefined ? known : [...known, server])];
    const lost = [...this.#subscriptions].filter(({ isLost }) => isLost).map(({ subject }) => subject);
    this.#state.change({ status, server, servers, reconnects, lost });
  }

  #vendorClosed(error: unknown): void {
    if (!this.lifetime.isOpen) return;
    const cause = error === undefined ? undefined : mapNatsError(error, 'nats: connection');
    void this.lifetime.fail(cause ?? new MicroError('closed', 'nats: the connection was closed by its owner'));
  }

  protected async release({ signal }: AbortOptions): Promise<void> {
    const wasConnected = this.#isConnected && !this.#vendor.isClosed();
    const { own } = this.#settings;
    let abandoned: MicroError | undefined;
    this.#isConnected = false;
    clearTimeout(this.#leaving);
    this.#change('draining');
    try {
      if (own !== undefined && wasConnected) await this.#drain(signal);
    } catch (error) {
      abandoned = MicroError.from(error, 'internal', 'nats: closing');
    }
    if (own !== undefined) {
      await this.#vendor.close();
      own.afterClose();
    }
    this.#events.stop?.();
    this.#flushes.settleAll(this.lifetime.closedError());
    this.#readyWaits.settleAll(this.lifetime.closedError());
    this.#change('closed');
    this.#state.clear();
    this.#serverErrors.end();
    const ended = this.lifetime.cause ?? unavailable('nats: the connection was closed');
    // Whoever follows `closed` hears of it before its subscriptions do.
    setImmediate(() => {
      for (const subscription of [...this.#subscriptions]) subscription.end(ended);
    });
    if (abandoned) throw abandoned;
  }

  async #drain(signal: AbortSignal | undefined): Promise<void> {
    // The client's drain has no deadline of its own, and does not notice that the connection broke, or ends without a
    // word: only one that went well has closed it.
    const lost = new MicroError('unavailable', 'nats: draining: the connection was lost');
    const broken = new Promise<never>((_, reject) => {
      this.#breakDrain = () => reject(lost);
    });
    const bound = AbortSignal.timeout(drainTimeoutMs);
    const end = signal ? AbortSignal.any([signal, bound]) : bound;
    await abortable(Promise.race([this.#vendor.drain(), broken]), end, 'nats: draining');
    if (!this.#vendor.isClosed()) throw lost;
  }

  #refusal(doing: string, subject?: string): MicroError {
    if (!this.lifetime.isOpen) return this.lifetime.closedError();
    const what = subject === undefined ? doing : `${doing} on "${subject}"`;
    const { outage } = this;
    const why = outage === undefined ? '' : `: ${outage.message}`;
    return unavailable(`nats: ${what}: not connected to ${this.address}${why}`);
  }
}

function unavailable(message: string): MicroError {
  return new MicroError('unavailable', message, { retrySafe: true });
}
