import { MicroError } from '@ts-micro/core';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { recoded } from '../recoded.ts';
import { assertFits, spoilt } from '../spoilt-message.ts';
import { sends, sockets } from './seams.ts';

export const content: readonly Mutant<'transport'>[] = mutantsOf('transport', [
  {
    name: 'takes empty for a ping',
    breaks: 'A message with an empty body is not delivered.',
    caughtBy: ['empty-message'],
    make: () => sends((message) => (message.body.length === 0 ? undefined : message)),
  },
  {
    name: 'adds a header',
    breaks: 'A message arrives with a header that nobody sent.',
    caughtBy: ['empty-message', 'message-unchanged', 'reply-unchanged'],
    make: () =>
      sends(({ headers, body }) => ({ headers: { ...headers, 'Content-Length': String(body.length) }, body })),
  },
  {
    name: 'lower-cases names',
    breaks: 'Header names arrive in lower case.',
    caughtBy: ['odd-headers', 'message-unchanged', 'reply-unchanged'],
    make: () => sends(spoilt.lowerCaseNames),
  },
  {
    name: 'drops empty values',
    breaks: 'A header with an empty value does not arrive.',
    caughtBy: ['odd-headers'],
    make: () => sends(spoilt.withoutEmptyValues),
  },
  {
    name: 'speaks ASCII',
    breaks: 'Header values arrive with question marks for what is no ASCII.',
    caughtBy: ['odd-headers'],
    make: () => sends(spoilt.asciiValues),
  },
  {
    name: 'assigns headers',
    breaks: 'Headers are copied into a plain object one by one, where `__proto__` is lost.',
    caughtBy: ['prototype-headers'],
    make: () => sends(spoilt.assignedHeaders),
  },
  {
    name: 'counts headers as body',
    breaks: 'A body of `maxBodyBytes` is refused because of its headers.',
    caughtBy: ['largest-body'],
    make: () => (transport) =>
      sends((message) => {
        assertFits(message, transport.supports.maxBodyBytes);
        return message;
      })(transport),
  },
  {
    name: 'has a smaller buffer',
    breaks: 'A body arrives without what is beyond 64 KiB.',
    caughtBy: ['largest-body'],
    make: () => sends((message) => spoilt.cut(message, 65_536)),
  },
  {
    name: 'cuts off',
    breaks: 'A body too large arrives without what is beyond `maxBodyBytes`.',
    caughtBy: ['too-large'],
    make: () => (transport) => sends((message) => spoilt.cut(message, transport.supports.maxBodyBytes))(transport),
  },
  {
    name: 'calls too large invalid',
    breaks: 'A body too large is refused with `invalid`.',
    caughtBy: ['too-large'],
    make: () => refusing('too_large', (error) => Promise.reject(recoded(error, 'invalid'))),
  },
  {
    name: 'hangs up on too large',
    breaks: 'A body too large closes the socket.',
    caughtBy: ['too-large'],
    make: () => refusing('too_large', (error, close) => close().then(() => Promise.reject(error))),
  },
  {
    name: 'drops bad headers',
    breaks: 'A header that breaks the rules is left out, and the rest sent.',
    caughtBy: ['bad-headers'],
    make: () => sends(spoilt.withoutBadHeaders),
  },
  {
    name: 'trims values',
    breaks: 'A value with outer white space is trimmed and sent.',
    caughtBy: ['bad-headers'],
    make: () => sends(spoilt.trimmedValues),
  },
  {
    name: 'makes values text',
    breaks: 'A value that is no text is made one and sent.',
    caughtBy: ['bad-headers'],
    make: () => sends(spoilt.withTextValues),
  },
  {
    name: 'escapes names',
    breaks: 'A name that is no token is escaped and sent.',
    caughtBy: ['bad-headers'],
    make: () => sends(spoilt.escapedNames),
  },
  {
    name: 'calls bad headers malformed',
    breaks: 'A header that breaks the rules is refused with `malformed`.',
    caughtBy: ['bad-headers'],
    make: () => refusing('invalid', (error) => Promise.reject(recoded(error, 'malformed'))),
  },
  {
    name: 'hangs up on bad headers',
    breaks: 'A header that breaks the rules closes the socket.',
    caughtBy: ['bad-headers'],
    make: () => refusing('invalid', (error, close) => close().then(() => Promise.reject(error))),
  },
]);

/** Breaks how `send` refuses with one code. */
function refusing(
  code: MicroError['code'],
  refuse: (error: MicroError, close: () => Promise<void>) => Promise<never>,
): ReturnType<typeof sockets> {
  return sockets((socket) => ({
    send: (message, options) =>
      socket.send(message, options).catch((error: unknown) => {
        if (MicroError.is(error, code)) return refuse(error, () => socket.close());
        throw error;
      }),
  }));
}
