// What goes over the wire between peers that speak frames, and the stream of them that a socket has.

export { FrameMessage, isFrame, isWindowUpdate, opensSocket } from './frames/frame.ts';
export { windowMessages } from './frames/limits.ts';
export type { ListeningEnd } from './frames/peers/accepted-ends.ts';
// Who is at the other end: which peers are still there, and which sockets of them have a place.
export { AcceptedEnds } from './frames/peers/accepted-ends.ts';
export { Clock } from './frames/peers/clock.ts';
export type { DiallingPeer } from './frames/peers/dialling-peer.ts';
export { diallingPeer } from './frames/peers/dialling-peer.ts';
export type { Intake } from './frames/peers/fair-intake.ts';
export { FairIntake } from './frames/peers/fair-intake.ts';
export type { Verdict } from './frames/peers/peer-watch.ts';
export { PeerWatch } from './frames/peers/peer-watch.ts';
export type { Leavers } from './frames/peers/socket-places.ts';
export { SocketPlaces } from './frames/peers/socket-places.ts';
export type { FrameStreamOptions } from './frames/stream/frame-receiver.ts';
export type { PeerClose } from './frames/stream/frame-stream.ts';
export { FrameStream } from './frames/stream/frame-stream.ts';
export type { Line } from './frames/stream/line.ts';
export { SentRecord } from './frames/stream/sent-record.ts';
