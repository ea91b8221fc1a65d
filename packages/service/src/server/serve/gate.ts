/** Says what a service still takes in. A stopping one first takes no more streams, then nothing. */
export class Gate {
  takesStreams = true;
  takesRequests = true;
  /** Requests that came in, also those that were refused. */
  asked = 0;
}
