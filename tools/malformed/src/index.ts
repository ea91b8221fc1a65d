export { checkDecoder, checkPayload } from './check-decoder.ts';
export { drawMalformed } from './messages.ts';
export { marker } from './payloads.ts';

export type { DecoderCheck, PayloadCheck } from './check-decoder.ts';
export type { Malformed } from './messages.ts';
