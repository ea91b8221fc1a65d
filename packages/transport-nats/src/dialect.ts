import { isFrame } from '@ts-micro/kit/frames';

/** How a message stands on the wire: in Go Micro's JSON envelope, or in a frame (`docs/native-dialect.md`). */
export type Dialect = 'go' | 'native';

/** The choice of a dialect for a transport. */
export type DialectChoice = 'auto' | 'go';

const framesKey = 'ts-micro-frames';
const framesVersion = '1';

/** The metadata with which a listener tells the dialects it understands. */
export function advertised(choice: DialectChoice): Readonly<Record<string, string>> {
  return Object.freeze(choice === 'go' ? {} : { [framesKey]: framesVersion });
}

/** Returns the dialect for a node with this metadata. */
export function dialectToward(metadata: Readonly<Record<string, string>> | undefined, choice: DialectChoice): Dialect {
  return choice === 'auto' && metadata?.[framesKey] === framesVersion ? 'native' : 'go';
}

/** Returns the dialect of a message that came in. */
export function dialectOf(data: Uint8Array): Dialect {
  return isFrame(data) ? 'native' : 'go';
}
