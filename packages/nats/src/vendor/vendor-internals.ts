import { latin1Of, utf8Of } from '@ts-micro/kit';
import type { VendorConnection, VendorMessage } from '../link/vendor-connection.ts';
import { linkEnded } from './dial-transport.ts';
import { readServerInfo } from './server-info.ts';
import { MessageLine } from './whole-message.ts';
import { WriteBuffer } from './write-buffer.ts';

// What nats 2.29 offers no public way to; only for connections made here, with the version this package depends on.
interface Internals {
  readonly protocol?: {
    readonly connectPromise?: Promise<void> | null;
    readonly servers?: VendorServers;
    readonly transport?: {
      readonly socket?: { readonly writableLength: number; readonly remoteAddress?: string; destroy(): void };
      disconnect(): void;
    };
    readonly heartbeats?: { cancel(): void };
    readonly pendingLimit?: number;
    readonly pongs?: readonly unknown[];
    outbound?: { length(): number; drain(): Uint8Array };
    flushPending?(): void;
    processError?(words: Uint8Array): void;
    processInfo?(words: Uint8Array): void;
    processPong?(): void;
    resetOutbound?(): void;
  };
}

/** Of one complaint: more than what it can hold of subjects. A long text would be searched for long. */
const mostWords = 16_384;

interface VendorServer {
  readonly hostname: string;
  readonly gossiped?: boolean;
}

interface VendorServers {
  currentServer: VendorServer;
  addServer?(address: string): void;
  getServers(): readonly VendorServer[];
  selectServer(): VendorServer | undefined;
}

/**
 * Adds servers to fail over to: the first connect tries one server at a time, so that each one's own error is known.
 */
export function addServers(vendor: VendorConnection, addresses: readonly string[]): void {
  const servers = (vendor as Internals).protocol?.servers;
  for (const address of addresses) servers?.addServer?.(address);
}

/**
 * Makes the client try the configured servers between any two that the cluster told of: a cluster may tell many that
 * cannot be reached. The
 * server that was lost comes last. Returns what is to be called at each connect.
 */
export function orderServers(vendor: VendorConnection): () => void {
  const servers = (vendor as Internals).protocol?.servers;
  if (servers === undefined) return () => {};
  let configured: VendorServer[] = [];
  let told: VendorServer[] = [];
  // The turns that are left until the lists are begun again.
  let isToldNext = false;
  servers.selectServer = () => {
    const known = servers.getServers();
    if (known.length === 0) return undefined;
    const fresh = (list: VendorServer[]) => list.filter((server) => known.includes(server));
    configured = fresh(configured);
    told = fresh(told);
    if (configured.length === 0 && (!isToldNext || told.length === 0)) {
      configured = lastOf(
        known.filter((server) => server.gossiped !== true),
        servers.currentServer,
      );
    }
    if (told.length === 0)
      told = lastOf(
        known.filter((server) => server.gossiped === true),
        servers.currentServer,
      );
    const takesTold = told.length > 0 && (configured.length === 0 || isToldNext);
    const next = takesTold ? told.shift() : configured.shift();
    isToldNext = !takesTold && configured.length === 0;
    servers.currentServer = next ?? (known[0] as VendorServer);
    return servers.currentServer;
  };
  return () => {
    configured = servers.getServers().filter((server) => server.gossiped !== true && server !== servers.currentServer);
    told = [];
    isToldNext = configured.length === 0;
  };
}

function lastOf(servers: readonly VendorServer[], last: VendorServer): VendorServer[] {
  return [...servers.filter((server) => server !== last), ...servers.filter((server) => server === last)];
}

/** The IP address of the server that the client is on. */
export function remoteIp(vendor: VendorConnection): string | undefined {
  return (vendor as Internals).protocol?.transport?.socket?.remoteAddress;
}

/**
 * The server's own words, at the moment they are read: its complaints as it words them, and how many of the
 * client's pings it has
 * answered, which tells what a complaint may be about.
 */
export class ServerEcho {
  readonly #protocol: Internals['protocol'];
  #answered = 0;

  constructor(vendor: VendorConnection) {
    const protocol = (vendor as Internals).protocol;
    this.#protocol = protocol;
    const processPong = protocol?.processPong;
    if (protocol === undefined || processPong === undefined) return;
    protocol.processPong = () => {
      this.#answered++;
      processPong.call(protocol);
    };
  }

  get answered(): number {
    return this.#answered;
  }

  /** Pings written until now. */
  get asked(): number {
    return this.#answered + (this.#protocol?.pongs?.length ?? 0);
  }

  /** Calls `listener` with each complaint, before the client acts on it. */
  onSentence(listener: (sentence: string) => void): void {
    const protocol = this.#protocol;
    const processError = protocol?.processError;
    if (protocol === undefined || processError === undefined) return;
    protocol.processError = (all) => {
      const words = all.subarray(0, mostWords);
      const sentence = Buffer.from(words).toString('utf8').replace(/^'|'$/g, '');
      if (sentence !== linkEnded) listener(sentence);
      processError.call(protocol, words);
    };
  }
}

/**
 * Hands the client only what it can work with of what a server tells in mid-life of itself and of others. Throws into
 * its parser where that is nothing.
 */
export function checkInfos(vendor: VendorConnection): void {
  const { protocol } = vendor as Internals;
  const processInfo = protocol?.processInfo;
  if (protocol === undefined || processInfo === undefined) return;
  protocol.processInfo = (words) => {
    const info = readServerInfo(Buffer.from(words).toString('utf8'));
    if (info === undefined) throw new Error('what it tells of itself is no INFO of a NATS server');
    processInfo.call(protocol, Buffer.from(JSON.stringify(info)));
  };
}

/**
 * Destroys the socket of a stale link: the client first waits for its last bytes to be written, which on a dead link
 * may be never.
 */
export function destroySocket(vendor: VendorConnection): void {
  (vendor as Internals).protocol?.transport?.socket?.destroy();
}

/** After `close()`: a dial that was under way would otherwise still succeed and leave a socket and a timer behind. */
export function abandonDial(vendor: VendorConnection): void {
  const protocol = (vendor as Internals).protocol;
  const disconnect = () => {
    protocol?.heartbeats?.cancel();
    protocol?.transport?.disconnect();
  };
  protocol?.connectPromise?.then(disconnect, () => {});
  protocol?.transport?.socket?.destroy();
}

/**
 * Writes one message without its checks; `header` is a whole header block, or empty, and `prefix` comes before `data`.
 */
export type MessageWriter = (
  subject: string,
  reply: string | undefined,
  header: Uint8Array,
  data: Uint8Array,
  prefix: Uint8Array | undefined,
) => void;

const settled = Promise.resolve();

/**
 * Gives the client, ours or a lent one, another buffer to write from, and a shorter way into it than its own `publish`.
 * `undefined` where it is not built as known.
 */
export function messageWriter(vendor: VendorConnection): MessageWriter | undefined {
  const protocol = (vendor as Internals).protocol;
  if (protocol?.outbound === undefined || typeof protocol.flushPending !== 'function') return undefined;
  const { pendingLimit } = protocol;
  if (pendingLimit === undefined) return undefined;
  const buffer = new WriteBuffer(() => protocol.transport?.socket?.writableLength === 0);
  const takeOver = () => {
    const { outbound } = protocol;
    if (outbound !== undefined && outbound.length() > 0) buffer.fill(outbound.drain());
    protocol.outbound = buffer;
  };
  takeOver();
  const flush = () => protocol.flushPending?.();
  return (subject, reply, header, data, prefix) => {
    // Where the same lent connection was wrapped again, by another copy of this package perhaps.
    if (protocol.outbound !== buffer) takeOver();
    const isFirst = buffer.length() === 0;
    buffer.fillMessage(subject, reply, header, data, prefix);
    // As the client does: what is published in one turn is written at once.
    if (isFirst) void settled.then(flush);
    else if (buffer.length() >= pendingLimit) flush();
  };
}

interface MessageInternals {
  readonly _msg?: {
    readonly subject?: Uint8Array;
    readonly reply?: Uint8Array;
    readonly hdr?: number;
    readonly size?: number;
  };
  readonly _rdata?: Uint8Array;
}

/** Longer ones are not likely to come again. */
const longestBlock = 512;

/** The header block of a message byte for byte; `undefined` where it has none, or a long one. */
export function headerBlockOf(message: VendorMessage): string | undefined {
  const { _msg: internals, _rdata: bytes } = message as MessageInternals;
  const length = internals?.hdr;
  if (length === undefined || length <= 0 || length > longestBlock || !(bytes instanceof Uint8Array)) return undefined;
  return latin1Of(bytes, 0, length);
}

/** Bytes of data and headers. */
export function sizeOf(message: VendorMessage): number {
  return (message as MessageInternals)._msg?.size ?? message.data.length;
}

/** The line of a message that came whole. */
export function lineOf(message: VendorMessage): MessageLine | undefined {
  const line = (message as MessageInternals)._msg;
  return line instanceof MessageLine ? line : undefined;
}

/** The subject of a message. The client's own decoder takes several times as long. */
export function subjectOf(message: VendorMessage): string {
  const line = (message as MessageInternals)._msg;
  if (line instanceof MessageLine) return utf8Of(line.bytes, line.subjectStart, line.subjectEnd);
  return line?.subject instanceof Uint8Array ? utf8Of(line.subject) : message.subject;
}

/** The reply subject of a message, if it has one. */
export function replyOf(message: VendorMessage): string | undefined {
  const line = (message as MessageInternals)._msg;
  if (line instanceof MessageLine)
    return line.replyStart === line.replyEnd ? undefined : utf8Of(line.bytes, line.replyStart, line.replyEnd);
  // Only with the subject at its place is a missing reply none.
  if (!(line?.subject instanceof Uint8Array)) return message.reply || undefined;
  const { reply } = line;
  return reply === undefined || reply.length === 0 ? undefined : utf8Of(reply);
}
