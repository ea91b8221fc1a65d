import dns, { type LookupAddress, type LookupOptions } from 'node:dns';

type Found = (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void;

const resolverOptions = { timeout: 1000, tries: 1 };

/**
 * Finds every address of a host as the system does it for any other program, the hosts file included. A name that the
 * system does not know
 * is asked of the name servers of Node's `dns.setServers`, within about a second.
 */
export function findHost(host: string, options: LookupOptions, done: Found): void {
  dns.lookup(host, { ...options, all: true }, (error, found) => {
    // A lookup that somebody has put in place of Node's may find nothing, at which a socket would throw, and say
    // `undefined` where Node's says null.
    if (!error && found.length === 0) return done(notFound(host), []);
    if (error?.code !== 'ENOTFOUND') return done(error, found);
    const resolver = new dns.Resolver(resolverOptions);
    // By way of the module: `dns.setServers` replaces its functions.
    resolver.setServers(dns.getServers());
    resolver.resolve4(host, (_, four = []) => {
      if (four.length > 0) return done(null, addressesOf(four, 4));
      resolver.resolve6(host, (_, six = []) => (six.length > 0 ? done(null, addressesOf(six, 6)) : done(error, [])));
    });
  });
}

function notFound(host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND', syscall: 'getaddrinfo' });
}

function addressesOf(found: readonly string[], family: number): LookupAddress[] {
  return found.map((address) => ({ address, family }));
}
