import { readFileSync } from 'node:fs';
import { MicroError, type PluginFlag, type PluginOptions } from '@ts-micro/core';
import { PluginSettings } from './plugin-settings.ts';

/** PEM texts, or the names of files with them. */
export interface ServerTls {
  /** The authorities to trust. @default those of the system */
  readonly ca?: string | undefined;
  /** The client's certificate. */
  readonly cert?: string | undefined;
  /** The key of `cert`. */
  readonly key?: string | undefined;
}

/** How a backend's servers are reached: a part of its factory's options. */
export interface ServerAccess {
  /** `host`, `host:port` or a URL, one for each server; a text is a list with commas. */
  readonly servers?: string | readonly string[] | undefined;
  /** The user. @default the one in the URL */
  readonly user?: string | undefined;
  /** The password of `user`. @default the one in the URL */
  readonly password?: string | undefined;
  /** TLS, and what it takes. @default where the scheme of a URL says so */
  readonly tls?: boolean | ServerTls | undefined;
}

/** The names of {@link ServerAccess}. */
export const serverAccessNames: Readonly<Record<keyof ServerAccess, true | readonly string[]>> = {
  servers: ['address', 'addresses', 'host', 'hosts', 'url', 'urls', 'uri'],
  user: ['username'],
  password: ['pass'],
  tls: true,
};

/** {@link ServerAccess}, checked. */
export interface CheckedAccess {
  /** One for each server, with a port where it was given one, and without user and password. */
  readonly urls: readonly URL[];
  /** `host:port` of each. */
  readonly addresses: readonly string[];
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** What `node:tls` takes; `undefined` without TLS. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined;
}

/**
 * Checks how servers are reached; files of TLS are read now. `schemes` are the plain one and the one with TLS, of the
 * backend's URLs: `['amqp', 'amqps']`. Throws `invalid`, naming the option and never a value that may be a password.
 */
export function checkAccess(
  { servers = [], user, password, tls }: ServerAccess,
  { who, schemes: [plain, secure], port }: { who: string; schemes: readonly [string, string]; port: number },
): CheckedAccess {
  const list = (typeof servers === 'string' ? servers.split(',') : servers).map((each) => each.trim());
  const urls = (list.length > 0 ? list : [`127.0.0.1:${port}`]).map((text) => {
    const withScheme = text.includes('://') ? text : `${tls ? secure : plain}://${text}`;
    const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
    if (url && [plain, secure].includes(url.protocol.slice(0, -1)) && url.hostname !== '') return url;
    throw new MicroError('invalid', `${who}: option servers holds one that is no host:port and no ${plain}:// URL`);
  });
  const isSecure = urls.map((url) => url.protocol === `${secure}:`);
  if (isSecure.includes(!isSecure[0]) || (tls !== undefined && Boolean(tls) !== isSecure[0])) {
    throw new MicroError('invalid', `${who}: option servers holds one with TLS and one without, or tls says otherwise`);
  }
  const [login] = urls;
  const given = {
    user: user ?? (decodeURIComponent(login?.username ?? '') || undefined),
    password: password ?? (decodeURIComponent(login?.password ?? '') || undefined),
  };
  for (const url of urls) {
    url.username = '';
    url.password = '';
  }
  const addresses = urls.map((url) => `${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : port)}`);
  return { urls, addresses, ...given, tls: isSecure[0] ? tlsOf(tls, who) : undefined };
}

/** The settings of operators that are a plugin's {@link ServerAccess}: `etcd_user` and so on. */
export function accessFlags(prefix: string): readonly PluginFlag[] {
  return [
    { name: `${prefix}_user`, about: 'the user' },
    { name: `${prefix}_password`, about: "the user's password", fromFile: true },
    { name: `${prefix}_tls`, about: 'true: TLS with the certificates of the system' },
    { name: `${prefix}_tls_ca`, about: 'the authorities to trust: the name of a PEM file, or its text' },
    { name: `${prefix}_tls_cert`, about: "the client's certificate: the name of a PEM file, or its text" },
    { name: `${prefix}_tls_key`, about: "the client's key: the name of a PEM file, or its text" },
  ];
}

/** Reads an operator's addresses and {@link accessFlags}. */
export function accessFromSettings(prefix: string, { addresses, settings }: PluginOptions): ServerAccess {
  const read = new PluginSettings(prefix, settings);
  const tls = {
    ca: read.text(`${prefix}_tls_ca`),
    cert: read.text(`${prefix}_tls_cert`),
    key: read.text(`${prefix}_tls_key`),
  };
  const hasTls = Object.values(tls).some((value) => value !== undefined);
  return {
    servers: addresses,
    user: read.text(`${prefix}_user`),
    password: read.text(`${prefix}_password`),
    tls: hasTls ? tls : read.boolean(`${prefix}_tls`),
  };
}

function tlsOf(tls: ServerAccess['tls'], who: string): NonNullable<CheckedAccess['tls']> {
  const { ca, cert, key } = typeof tls === 'object' ? tls : {};
  return {
    ...(ca !== undefined && { ca: pem(ca, `${who}: option tls.ca`) }),
    ...(cert !== undefined && { cert: pem(cert, `${who}: option tls.cert`) }),
    ...(key !== undefined && { key: pem(key, `${who}: option tls.key`) }),
  };
}

function pem(value: string, what: string): string {
  if (value.includes('-----BEGIN')) return value;
  try {
    return readFileSync(value, 'utf8');
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'it cannot be read';
    throw new MicroError('invalid', `${what} is neither a PEM text nor a file (${reason})`);
  }
}
