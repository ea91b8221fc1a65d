import { MicroError } from '@ts-micro/core';
import { altered } from './altered.ts';

/** An instance whose server refuses its credentials: these methods reject with `unauthorized`. */
export function refusing<T extends object>(sound: T, methods: readonly (keyof T & string)[]): T {
  const refuse = async (): Promise<never> => {
    throw new MicroError('unauthorized', 'the server refuses the credentials');
  };
  return altered(sound, Object.fromEntries(methods.map((method) => [method, refuse])) as Partial<T>);
}
