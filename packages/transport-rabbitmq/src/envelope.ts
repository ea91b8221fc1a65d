import type { Message } from '@ts-micro/core';
import type { ConversationKind as Kind } from '@ts-micro/kit';
import type { Message as Delivery } from 'amqplib';

// In the AMQP property `type`, which Go Micro neither sends nor reads.
const kinds: ReadonlySet<string> = new Set(['open', 'more', 'close', 'gone', 'refused', 'room', 'ping']);
const prefix = 'ts-micro.';
const oddHeader = 'Ts-Micro-Headers';

/** The kind of what came in; `undefined` from Go Micro. */
export function kindOf({ properties: { type } }: Delivery): Kind | undefined {
  const kind = typeof type === 'string' && type.startsWith(prefix) ? type.slice(prefix.length) : '';
  return kinds.has(kind) ? (kind as Kind) : undefined;
}

/** The AMQP properties of a kind and its headers. */
export function propertiesOf(kind: Kind, headers: Message['headers']): { type: string; headers: object } {
  const entries = Object.entries(headers);
  const odd = entries.filter(([name]) => isOdd(name));
  const plain = Object.fromEntries(entries.filter(([name]) => !isOdd(name)));
  return { type: prefix + kind, headers: odd.length > 0 ? { ...plain, [oddHeader]: JSON.stringify(odd) } : plain };
}

/** The message of what came in, which shares nothing with it. */
export function messageOf({ content, properties }: Delivery): Message {
  const { [oddHeader]: odd, ...plain } = properties.headers ?? {};
  const entries = Object.entries(plain).map(([name, value]) => [name, String(value)]);
  return {
    headers: Object.fromEntries([...entries, ...(typeof odd === 'string' ? JSON.parse(odd) : [])]),
    body: Uint8Array.from(content),
  };
}

/** Names that RabbitMQ obeys, that its client loses, or that AMQP has no room for. */
function isOdd(name: string): boolean {
  return name === 'CC' || name === 'BCC' || name === '__proto__' || name === oddHeader || name.length > 80;
}
