import { checkHeaders, type Message, MicroError } from '@ts-micro/core';

/** Throws `invalid` for a header that breaks the rules, and `too_large` for a body of more than `maxBodyBytes`. */
export function checkMessage(message: Message, maxBodyBytes: number, who: string): void {
  checkHeaders(message.headers, who);
  const size = message.body.byteLength;
  if (size > maxBodyBytes)
    throw new MicroError('too_large', `${who}: a body of ${size} bytes is more than ${maxBodyBytes}`);
}
