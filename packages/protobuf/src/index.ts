export { fromProto } from './from-proto.ts';

export type { ProtoEndpoints, ProtoOptions } from './from-proto.ts';
