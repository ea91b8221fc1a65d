import { MicroError } from '@ts-micro/core';

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
 * A server is `host`, `host:port`, `nats://host:port` or `tls://host:port`; no server at all is `127.0.0.1:4222`.
 * Throws `invalid` naming the value, without its credentials.
 */
export function parseServers(servers: string | readonly string[] | undefined, who: string): readonly ServerAddress[] {
  const list: readonly unknown[] = servers === undefined ? [] : typeof servers === 'string' ? [servers] : servers;
  const parsed = new Map<string, ServerAddress>();
  for (const entry of list) {
    if (typeof entry !== 'string') {
      throw new MicroError('invalid', `${who}: option servers has an entry of type ${typeof entry}`);
    }
    for (const text of entry.split(',')) {
      if (text.trim() === '') continue;
      const server = parseServer(text.trim(), who);
      if (!parsed.has(server.address)) parsed.set(server.address, server);
    }
  }
  return parsed.size > 0 ? [...parsed.values()] : [parseServer(defaultServer, who)];
}

function parseServer(text: string, who: string): ServerAddress {
  const [, scheme, rest = ''] = /^(?:([^:/@]*):\/\/)?(.*)$/s.exec(text) ?? [];
  const shown = JSON.stringify(
    text.replace(/\/\/[^@]*@|^[^@/]*@/, (found) => (found.startsWith('/') ? '//***@' : '***@')),
  );
  if (scheme !== undefined && scheme !== 'nats' && scheme !== 'tls') {
    throw new MicroError('invalid', `${who}: server ${shown} has a scheme other than nats:// and tls://`);
  }
  const isBareIpv6 = !rest.includes('[') && !rest.includes('@') && rest.split(':').length > 2;
  let url: URL;
  try {
    url = new URL(`nats://${isBareIpv6 ? `[${rest}]` : rest}`);
  } catch {
    throw new MicroError('invalid', `${who}: server ${shown} is not host, host:port or a URL of them`);
  }
  const hasMore = (url.pathname !== '' && url.pathname !== '/') || url.search !== '' || url.hash !== '';
  // A host with an escape was given characters that no host has.
  if (url.hostname === '' || url.hostname.includes('%') || hasMore || /[:@]$/.test(rest) || url.port === '0') {
    throw new MicroError('invalid', `${who}: server ${shown} is not host, host:port or a URL of them`);
  }
  return {
    address: `${url.hostname.toLowerCase()}:${url.port || '4222'}`,
    isTls: scheme === 'tls',
    user: url.username === '' ? undefined : decodeURIComponent(url.username),
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
  };
}
