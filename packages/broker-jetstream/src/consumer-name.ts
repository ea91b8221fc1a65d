import { createHash } from 'node:crypto';

// The server makes a folder of that name.
const longest = 180;

/**
 * The name of the durable consumer of a queue: `billing__orders_2Epaid`. What is no letter, digit or hyphen is `_` and
 * its bytes in hex, so that two queues never share a name; a long name ends in its hash.
 */
export function consumerName(queue: string, topic: string): string {
  const name = `${escaped(queue)}__${escaped(topic)}`;
  if (name.length <= longest) return name;
  return `${name.slice(0, longest - 50)}__${createHash('sha256').update(name).digest('hex').slice(0, 40)}`;
}

/** The name of a note on one message of that consumer. */
export function noteName(consumer: string, message: string): string {
  return `note__${createHash('sha256').update(`${consumer} ${message}`).digest('hex').slice(0, 40)}`;
}

/** Letters, digits and hyphens as they are, every other byte as `_2E`. */
export function escaped(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9-]/gu, (character) =>
    Array.from(Buffer.from(character), (byte) => `_${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}
