import { readFileSync } from 'node:fs';
import { MicroError } from '@ts-micro/core';
import { OptionChecks, type OptionNames } from '../lifecycle/options.ts';

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
  /**
   * `host`, `host:port` or a URL, one for each server; a text is a list with commas. @default 127.0.0.1 at the port of
   * the backend
   */
  readonly servers?: string | readonly string[] | undefined;
  /** The user. @default the one in the URL */
  readonly user?: string | undefined;
  /** The password of `user`. @default the one in the URL */
  readonly password?: string | undefined;
  /** TLS, and what it takes. @default where the scheme of a URL says so */
  readonly tls?: boolean | ServerTls | undefined;
}

const accessNames: OptionNames<ServerAccess> = {
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
  /** The path of the first URL, without its first `/`; empty where it has none. */
  readonly path: string;
  /** What `node:tls` takes; `undefined` without TLS. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined;
}

/** What a factory makes of its options: {@link CheckedAccess}, and its own with their defaults. */
export type AccessSettings<Options extends ServerAccess, Defaults> = CheckedAccess & {
  readonly [Name in Exclude<keyof Options, keyof ServerAccess>]-?: Name extends keyof Defaults
    ? Defaults[Name] extends undefined
      ? Options[Name]
      : NonNullable<Options[Name]>
    : never;
};

export interface AccessRules<Options extends ServerAccess, Defaults> {
  /** Begins every message: `etcd registry`. */
  readonly who: string;
  /** The scheme of the backend's URLs, and the one that means TLS: `['amqp', 'amqps']`. */
  readonly schemes: readonly [plain: string, secure: string];
  /** The port where none is given. */
  readonly port: number;
  /** Of every other option of the factory, so that a slip in a name is found. */
  readonly defaults: Defaults & { readonly [Name in Exclude<keyof Options, keyof ServerAccess>]-?: Options[Name] };
}

/**
 * Checks how servers are reached and that no option's name is a slip, reads files of TLS now, and fills in what the
 * other options, which it does not check, are by default. Throws `invalid`, naming the option and never a value that
 * may be a password.
 */
export function accessSettings<Options extends ServerAccess, const Defaults>(
  options: Options,
  rules: AccessRules<Options, Defaults>,
): AccessSettings<Options, Defaults> {
  const { who, defaults } = rules;
  const own = Object.keys(defaults) as (keyof Options)[];
  const names = Object.fromEntries(own.map((name) => [name, true as const]));
  new OptionChecks(who).named(options, { ...accessNames, ...names });
  const given = own.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]]));
  return { ...checkedAccess(options, rules), ...defaults, ...Object.fromEntries(given) };
}

function checkedAccess(
  { servers = [], user, password, tls }: ServerAccess,
  { who, schemes: [plain, secure], port }: Pick<AccessRules<ServerAccess, unknown>, 'who' | 'schemes' | 'port'>,
): CheckedAccess {
  const asked: unknown = typeof servers === 'string' ? servers.split(',') : servers;
  if (!Array.isArray(asked) || !asked.every((each) => typeof each === 'string'))
    throw new MicroError('invalid', `${who}: option servers is neither a text nor a list of texts`);
  for (const [option, value] of Object.entries({ user, password }))
    if (value !== undefined && typeof value !== 'string')
      throw new MicroError('invalid', `${who}: option ${option} is of type ${typeof value}, not a text`);
  const list = asked.map((each) => each.trim());
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
    user: user ?? (decoded(login?.username, who) || undefined),
    password: password ?? (decoded(login?.password, who) || undefined),
    path: decoded(login?.pathname.slice(1), who),
  };
  for (const url of urls) {
    url.username = '';
    url.password = '';
  }
  const addresses = urls.map((url) => `${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : port)}`);
  return { urls, addresses, ...given, tls: isSecure[0] ? tlsOf(tls, who) : undefined };
}

function decoded(text: string | undefined, who: string): string {
  try {
    return decodeURIComponent(text ?? '');
  } catch {
    throw new MicroError('invalid', `${who}: option servers holds a URL with a % that encodes nothing: write %25`);
  }
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
