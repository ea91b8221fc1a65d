import { MicroError } from '@ts-micro/core';
import { hostPort } from '../host-port.ts';

/** One server of a list, as it was configured. */
export interface ServerAddress {
  /** `host:port`; an IPv6 host in brackets. */
  readonly address: string;
  /** True where the scheme was `tls://`. */
  readonly isTls: boolean;
  /** From `nats://user:password@host`; a user alone is a token, as with other NATS clients. */
  readonly user: string | undefined;
  readonly password: string | undefined;
}

const defaultServer = '127.0.0.1:4222';

/**
 * Reads a server list: a string with commas or an array of such, white space around each ignored, empty ones skipped.
 *
 * A server is `host`, `host:port`, `nats://host:port` or `tls://host:port`, the scheme in any case, with
 * `user:password@` or `token@` before
 * the host. Credentials may be percent-encoded or as they are; a comma in a password does not end the server. No server
 * at all is
 * `127.0.0.1:4222`. One that is there twice is one, but with other credentials, which are tried in turn; it must speak
 * TLS where one of them says so. Throws `invalid` naming the value, without its credentials.
 */
export function parseServers(servers: string | readonly string[] | undefined, who: string): readonly ServerAddress[] {
  if (servers !== undefined && typeof servers !== 'string' && !Array.isArray(servers)) {
    throw new MicroError('invalid', `${who}: option servers is of type ${typeof servers}, not a text or an array`);
  }
  const list: readonly unknown[] = servers === undefined ? [] : typeof servers === 'string' ? [servers] : servers;
  const parsed = new Map<string, ServerAddress>();
  const secure = new Set<string>();
  for (const entry of list) {
    if (typeof entry !== 'string') {
      throw new MicroError('invalid', `${who}: option servers has an entry of type ${typeof entry}`);
    }
    for (const text of splitList(entry)) {
      const server = parseServer(text, who);
      const key = JSON.stringify([server.address, server.user, server.password]);
      if (!parsed.has(key)) parsed.set(key, server);
      if (server.isTls) secure.add(server.address);
    }
  }
  if (parsed.size === 0) return [parseServer(defaultServer, who)];
  return [...parsed.values()].map((server) => ({ ...server, isTls: secure.has(server.address) }));
}

/** Splits at commas, but not at those of a password. */
function splitList(text: string): string[] {
  const servers: string[] = [];
  let current: string | undefined;
  for (const piece of text.split(',')) {
    if (current === undefined) current = piece;
    else if (continues(current, piece)) current += `,${piece}`;
    else {
      servers.push(current);
      current = piece;
    }
  }
  if (current !== undefined) servers.push(current);
  return servers.map((server) => server.trim()).filter((server) => server !== '');
}

/** Tells whether `piece` is the rest of the credentials that `current` begins with. */
function continues(current: string, piece: string): boolean {
  if (current.trim() === '' || current.includes('@') || piece.includes('://')) return false;
  const rest = withoutScheme(current);
  // Whatever follows a colon and is no port can only be a password.
  const isServer = rest.trim() === '' || hostPort(rest) !== undefined;
  const userinfo = piece.includes('@') ? piece.slice(0, piece.lastIndexOf('@')) : undefined;
  if (!isServer) return true;
  return userinfo !== undefined && !userinfo.includes(':') && rest.includes(':');
}

function withoutScheme(text: string): string {
  return text.trim().replace(/^[^:/@]*:\/\//, '');
}

function parseServer(text: string, who: string): ServerAddress {
  const scheme = /^([^:/@]*):\/\//.exec(text)?.[1]?.toLowerCase();
  const rest = withoutScheme(text);
  // The last one: passwords as they are may hold others.
  const at = rest.lastIndexOf('@');
  const host = rest.slice(at + 1);
  const shown = JSON.stringify(shownOf(scheme, at >= 0, host));
  if (scheme === 'ws' || scheme === 'wss') {
    throw new MicroError(
      'invalid',
      `${who}: server ${shown} is a WebSocket: connect with wsconnect of @nats-io/nats-core and hand it in as { connection }`,
    );
  }
  if (scheme !== undefined && scheme !== 'nats' && scheme !== 'tls') {
    throw new MicroError('invalid', `${who}: server ${shown} has a scheme other than nats:// and tls://`);
  }
  const address = hostPort(host);
  if (address === undefined) {
    throw new MicroError('invalid', `${who}: server ${shown} is not host, host:port or a URL of them`);
  }
  return { address, isTls: scheme === 'tls', ...credentialsOf(at < 0 ? '' : rest.slice(0, at)) };
}

function credentialsOf(userinfo: string): Pick<ServerAddress, 'user' | 'password'> {
  const colon = userinfo.indexOf(':');
  const user = decoded(colon < 0 ? userinfo : userinfo.slice(0, colon));
  if (user === '') return { user: undefined, password: undefined };
  return { user, password: colon < 0 ? undefined : decoded(userinfo.slice(colon + 1)) };
}

/** A password with a percent sign that is no escape is taken as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Returns the part of a server that may be shown: neither credentials nor what may be some. */
function shownOf(scheme: string | undefined, hasCredentials: boolean, host: string): string {
  const lead = scheme === undefined ? '' : `${scheme}://`;
  // Where there is no @, what follows a colon and is no port may be a password; so may the value of a query.
  const [name = '', more] = /^(\[[^\]]*\]|[^:/?#]*)(.*)$/s.exec(host)?.slice(1) ?? [];
  const isPlain = more === undefined || /^(:\d{0,5})?\/?$/.test(more) || /^[:\da-f.[\]%]*$/i.test(host);
  return `${lead}${hasCredentials ? '***@' : ''}${isPlain ? host : `${name}***`}`;
}
