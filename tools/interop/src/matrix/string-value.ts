/** `google.protobuf.StringValue` of a text shorter than 128 bytes. */
export function stringValue(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  return Uint8Array.of(0x0a, bytes.length, ...bytes);
}

/** The text of such a message. */
export function stringOf(message: Uint8Array): string {
  return Buffer.from(message.subarray(2)).toString();
}
