import { nkeys } from 'nats';

/** An operator with one account, as a server is configured with them, and users of it. */
export interface JwtAccounts {
  readonly config: string;
  /** The content of a `.creds` file. `lifetimeSeconds` is how long the server takes it. */
  credentials(options?: { readonly lifetimeSeconds?: number; readonly permissions?: object }): string;
}

export function makeJwtAccounts(): JwtAccounts {
  const operator = nkeys.createOperator();
  const account = nkeys.createAccount();
  const unlimited = { subs: -1, data: -1, payload: -1 };
  const operatorJwt = sign(operator, operator.getPublicKey(), { type: 'operator', version: 2 });
  const limits = { ...unlimited, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const accountJwt = sign(operator, account.getPublicKey(), { type: 'account', version: 2, limits });
  return {
    config: `operator: ${operatorJwt}\nresolver: MEMORY\nresolver_preload: { ${account.getPublicKey()}: ${accountJwt} }`,
    credentials({ lifetimeSeconds, permissions } = {}) {
      const user = nkeys.createUser();
      const claims = { type: 'user', version: 2, pub: {}, sub: {}, ...unlimited, ...permissions };
      const jwt = sign(account, user.getPublicKey(), claims, lifetimeSeconds);
      const seed = new TextDecoder().decode(user.getSeed());
      return [block('NATS USER JWT', jwt), block('USER NKEY SEED', seed)].join('\n');
    },
  };
}

function sign(
  issuer: ReturnType<typeof nkeys.createUser>,
  subject: string,
  nats: object,
  lifetimeSeconds?: number,
): string {
  const now = Math.floor(Date.now() / 1000);
  const expiry = lifetimeSeconds === undefined ? {} : { exp: now + lifetimeSeconds };
  const claims = {
    jti: String(Math.random()),
    iat: now,
    iss: issuer.getPublicKey(),
    sub: subject,
    name: 'test',
    ...expiry,
  };
  const text = [
    { typ: 'JWT', alg: 'ed25519-nkey' },
    { ...claims, nats },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${text}.${Buffer.from(issuer.sign(Buffer.from(text))).toString('base64url')}`;
}

function block(title: string, text: string): string {
  return `-----BEGIN ${title}-----\n${text}\n------END ${title}------\n`;
}
