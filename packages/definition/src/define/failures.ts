import type { MicroError } from '@ts-micro/core';
import type { ErrorSchemas } from './endpoint.ts';
import type { InputOf, OutputOf } from './schema.ts';

// An endpoint without errors may be inferred to have errors of any name.
type NameIn<Errors extends ErrorSchemas> = string extends keyof Errors ? never : keyof Errors & string;

/** One of the errors that an endpoint is defined with, as its client gets it; told apart by `name`. */
export type FailureOf<Errors extends ErrorSchemas> = {
  [Name in NameIn<Errors>]: {
    readonly name: Name;
    readonly data: OutputOf<Errors[Name]>;
    /** The error in words. */
    readonly detail: string;
  };
}[NameIn<Errors>];

export interface FailOptions {
  /** The text that a Go client reads. @default the name, with spaces for underscores */
  readonly detail?: string;
  /** The HTTP-like number of the error. @default 400 */
  readonly code?: number;
}

/** Makes the error of one name that a handler throws. */
export type Fail<Errors extends ErrorSchemas> = <Name extends NameIn<Errors>>(
  name: Name,
  data: InputOf<Errors[Name]>,
  options?: FailOptions,
) => MicroError;
