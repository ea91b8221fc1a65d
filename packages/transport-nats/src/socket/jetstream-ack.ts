const longestAck = 1024;

/**
 * Returns the name of the JetStream stream that answered with an acknowledgement, `{"stream":"ORDERS","seq":1}`;
 * `undefined` for anything else.
 */
export function streamOfAck(data: Uint8Array): string | undefined {
  if (data.length > longestAck) return undefined;
  try {
    const ack = JSON.parse(Buffer.from(data).toString()) as Readonly<Record<string, unknown>> | null;
    const isAck =
      typeof ack?.stream === 'string' && typeof ack.seq === 'number' && !('Header' in ack) && !('Body' in ack);
    return isAck ? (ack.stream as string).slice(0, 100) : undefined;
  } catch {
    return undefined;
  }
}
