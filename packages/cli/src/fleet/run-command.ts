import type { Session } from './session.ts';

/** Runs a command's work with a session, and turns what it throws into one line and an exit code. */
export type RunCommand = (work: (session: Session) => Promise<void>) => Promise<void>;
