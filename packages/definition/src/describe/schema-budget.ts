import type { JsonSchema } from './json-schema.ts';

// A record goes out with every heartbeat, and has to fit into one message with all else that it says.
const mostBytesEach = 4096;
const mostBytesInAll = 128 * 1024;

/** Decides which JSON Schemas a service's record has room for: small ones, first come, first served. */
export class SchemaBudget {
  #left: number = mostBytesInAll;

  /** The text to advertise, or `undefined` where there is none or no room for it. */
  take(schema: JsonSchema | undefined): string | undefined {
    if (schema === undefined) return undefined;
    const { $schema: _dialect, ...rest } = schema as JsonSchema & { $schema?: string };
    if (Object.keys(rest).length === 0) return undefined;
    const text = JSON.stringify(rest);
    const bytes = Buffer.byteLength(text);
    if (bytes > mostBytesEach || bytes > this.#left) return undefined;
    this.#left -= bytes;
    return text;
  }
}
