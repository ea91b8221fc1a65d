import { MicroError } from '@ts-micro/core';

/** Throws `invalid` unless a package, a service, a folder and, in camel case, a function can be called so. */
export function checkProjectName(name: string): void {
  if (/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) && name.length <= 100) return;
  throw new MicroError('invalid', `the name "${name}" is not lower-case letters, digits and single dashes: my-service`);
}

/** `my-service` as `MyService`. */
export function pascalCase(name: string): string {
  return name
    .split('-')
    .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1))
    .join('');
}

/** `my-service` as `myService`. */
export function camelCase(name: string): string {
  const pascal = pascalCase(name);
  return pascal.slice(0, 1).toLowerCase() + pascal.slice(1);
}
