import { MicroError } from '@ts-micro/core';
import type { Service } from '@ts-micro/service';

/** A service under the names that NATS' services protocol allows. */
export interface ServiceIdentity {
  readonly name: string;
  readonly version: string;
  readonly description: string;
}

// The expression that semver.org suggests.
const semver =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$/;

/** Returns a name with only letters, digits, `-` and `_`; every other character becomes `-`. */
export function plainName(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, '-');
}

/** Throws `invalid` for a given name that is not allowed, and for a version that is not semantic. */
export function identityOf(
  who: string,
  service: Pick<Service, 'name' | 'version'>,
  given: { readonly serviceName?: string | undefined; readonly serviceVersion?: string | undefined },
  description: string,
): ServiceIdentity {
  const { serviceName: name = plainName(service.name), serviceVersion: version = service.version } = given;
  if (typeof name !== 'string' || name === '' || plainName(name) !== name) {
    const shown = MicroError.textOf(name);
    throw new MicroError('invalid', `${who}: option serviceName is "${shown}", not letters, digits, "-" and "_"`);
  }
  if (typeof version !== 'string' || !semver.test(version)) {
    const shown = MicroError.textOf(version);
    const advice = given.serviceVersion === undefined ? '; give one with option serviceVersion' : '';
    throw new MicroError(
      'invalid',
      `${who}: version "${shown}" of "${service.name}" is not of the form 1.0.0${advice}`,
    );
  }
  return { name, version, description };
}
