import type { Fault } from './fault.ts';

const service = 'packages/service/src';
const kit = 'packages/kit/src';

/** What went wrong in the runtime once, each put back by a few words. */
export const faults: readonly Fault[] = [
  {
    name: 'a relayed error is believed',
    symptom: 'a handler that passes on an error safe to retry is run again, although the call is not idempotent',
    changes: [
      {
        file: `${service}/server/serve/thrown-answer.ts`,
        from: "isRefusal(thrown) ? 'refused' : 'handler' }",
        to: "isRefusal(thrown) || MicroError.is(thrown, 'unavailable') ? 'refused' : 'handler' }",
      },
    ],
  },
  {
    name: "the caller's deadline is a remote error",
    symptom: 'a handler that obeys its signal answers with the deadline as an error of its own',
    changes: [
      {
        file: `${service}/server/serve/thrown-answer.ts`,
        from: 'if (remainingMs <= 0 || (remainingMs <= toleranceMs && (context.isAborted || isAboutTime(thrown))))',
        to: 'if (remainingMs < -Infinity || (remainingMs < -Infinity && isAboutTime(thrown)))',
      },
      {
        file: `${service}/client/retry/retry-policy.ts`,
        from: '  if (error.remote === undefined) return false;\n',
        to: '  if (error.remote === undefined || remainingMs <= 1e9) return false;\n',
      },
    ],
  },
  {
    name: 'a logger that throws',
    symptom: 'a JSON logger and a circular error end calls, heartbeats, the process',
    changes: [
      {
        file: `${kit}/lifecycle/safe-logger.ts`,
        from: '// There is nobody left to tell.',
        to: "throw new Error('the logger throws');",
      },
    ],
  },
  {
    name: 'a thrown value that cannot be described',
    symptom: 'a proxy or a getter that throws leaves the caller without an answer, and a slot taken',
    changes: [
      {
        file: `${service}/rpc/error-text.ts`,
        from: 'function nameOf(thrown: unknown): unknown {\n',
        to: 'function nameOf(thrown: unknown): unknown {\n  void (thrown as Error | undefined)?.name;\n',
      },
    ],
  },
  {
    name: 'leaving a loop leaves the stream open',
    symptom: 'the handler goes on after `break`',
    changes: [
      {
        file: `${service}/stream/stream-reader.ts`,
        from: 'if (isReading) await this.#side.leave();',
        to: 'void isReading;',
      },
    ],
  },
  {
    name: 'quiet is dead',
    symptom: 'a stream on which nobody says a word for the idle time is killed',
    changes: [
      {
        file: 'packages/kit/src/frames/peers/peer-watch.ts',
        from: "now - this.#heardAt > idleTicks ? 'probe' : 'leave'",
        to: "now - this.#heardAt > idleTicks ? 'gone' : 'leave'",
      },
    ],
  },
  {
    name: 'an abort does not reach the handler',
    symptom: 'a handler works on for a caller that has left',
    changes: [
      {
        file: `${service}/server/serve/socket-server.ts`,
        from: 'this.#asked.abort(gone);',
        to: 'void gone;',
      },
    ],
  },
  {
    name: 'handlers share an async context',
    symptom: 'what one handler puts into an AsyncLocalStorage the next one sees',
    changes: [
      {
        file: `${service}/server/serve/handler-context.ts`,
        from: 'this.#own.runInAsyncScope(runAsHandler<T>, undefined, this, handler)',
        to: 'runAsHandler(this, handler)',
      },
      {
        file: `${kit}/broker/handler-queue.ts`,
        from: 'new OwnContext().runInAsyncScope(handler, undefined, event)',
        to: 'handler(event)',
      },
    ],
  },
  {
    name: 'a name of metadata is two in two cases',
    symptom: '`X-Tenant` of the client and `x-tenant` of the call both go out',
    changes: [
      {
        file: `${service}/client/call/outgoing-metadata.ts`,
        from: 'byName.set(name.toLowerCase(), [name, value])',
        to: 'byName.set(name, [name, value])',
      },
    ],
  },
  {
    name: 'a stop does not tell streams',
    symptom: 'stopping waits for a stream that would have obeyed',
    changes: [
      {
        file: `${service}/server/lifecycle/draining.ts`,
        from: "the service is stopping`), 'stream');",
        to: "the service is stopping`), 'event');",
      },
    ],
  },
  {
    name: 'a failed heartbeat is the last',
    symptom: 'after an outage the service is never registered again',
    changes: [
      {
        file: `${service}/server/lifecycle/registration.ts`,
        from: '      }\n      this.#retryLater();',
        to: '      }\n      this.#failures++;',
      },
    ],
  },
  {
    name: 'a listener stays on a signal',
    symptom: 'each stream leaves a listener on the signal of a long-lived user',
    changes: [
      {
        file: `${service}/client/call/client-stream.ts`,
        from: 'abortFanOut.delete(signal, this);',
        to: 'void signal;',
      },
    ],
  },
  {
    name: 'what comes late opens a stream anew',
    symptom: 'after an outage that is longer than the idle time the handler of a stream runs a second time',
    changes: [
      {
        file: `${service}/rpc/go-micro/request.ts`,
        from: 'headers[header.runtime] === continues ? notOpen : undefined',
        to: 'undefined as MicroError | undefined',
      },
    ],
  },
  {
    name: 'an abort looks like an end',
    symptom: 'a handler that receives an upload takes half of it for the whole where its client aborts',
    changes: [
      {
        file: `${service}/server/serve/server-stream.ts`,
        from: "this.fail(this.#left('canceled'), { drop: true });",
        to: "this.#inbox.end();\n      this.fail(this.#left('canceled'), { drop: true });",
      },
    ],
  },
];
