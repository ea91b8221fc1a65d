/** One message as it was on the wire. */
export interface CapturedMessage {
  readonly subject: string;
  readonly reply?: string;
  /** The raw NATS header block, where there was one. */
  readonly natsHeaders?: string;
  /** The payload's exact text. */
  readonly payload: string;
  /** The body inside the envelope, as text, where the payload is one. */
  readonly body?: string;
  /** Those of `subject`, `reply` and `payload` that have something random in them, with that named. */
  readonly normalised?: { readonly subject?: string; readonly reply?: string; readonly payload?: string };
}

/** What went over the wire while one thing happened. */
export interface Capture {
  readonly id: string;
  readonly title: string;
  /** `go->go`, or `bare->go` where a Go client cannot be made to send it. */
  readonly between: 'go->go' | 'bare->go';
  /** What the Go client or the Go server's log said of it, where that is the point. */
  readonly outcome?: unknown;
  readonly messages: readonly CapturedMessage[];
}

/** The recordings of one generation. */
export interface CaptureFile {
  readonly generation: string;
  readonly provenance: {
    readonly go: string;
    readonly modules: Readonly<Record<string, string>>;
    readonly natsServer: string;
    readonly command: string;
  };
  readonly captures: readonly Capture[];
  /** Questions about a peer's behaviour, answered by trying. */
  readonly probes: readonly unknown[];
}
