import type { Headers, Message } from '@ts-micro/core';
import type { Dialect } from './dialect.ts';
import { goMicroDialect } from './go-micro/dialect.ts';
import { isLean, leanDialect } from './lean/dialect.ts';

/**
 * Chooses the dialect for a peer: `auto` is the one it says it understands, `go` Go Micro's dialect whatever it says.
 */
export type DialectChoice = 'auto' | 'go';

/** True for one of the two. */
export function isDialectChoice(value: unknown): value is DialectChoice {
  return value === 'auto' || value === 'go';
}

const version = '1';

/** The metadata of a node that understands the lean dialect. */
export const leanMetadata: Headers = Object.freeze({ 'ts-micro-rpc': version });

/** The dialect for a node, by its registry metadata. */
export function dialectOfNode(metadata: Headers | undefined, choice: DialectChoice): Dialect {
  return choice === 'auto' && metadata?.['ts-micro-rpc'] === version ? leanDialect : goMicroDialect;
}

/** The dialect a message that came in at a server is written in. */
export function dialectOfMessage(message: Message): Dialect {
  return isLean(message.headers) ? leanDialect : goMicroDialect;
}
