import { createHash } from 'node:crypto';

/** Says on which subjects to ask and announce, and who listens there. */
export interface SubjectPlan {
  /**
   * Returns the subjects on which a question about a service is asked and heard; without a name, the one for all
   * services.
   */
  asked(name: string | undefined): readonly string[];
  /** Returns the subjects on which changes of a service are announced. */
  announced(name: string): readonly string[];
  /** Returns the subjects on which a watcher of a service hears of it; without a name, of all services. */
  watched(name: string | undefined): readonly string[];
}

/** Go Micro's: everybody hears everything. */
export function sharedSubjects(querySubjects: readonly string[], watchSubjects: readonly string[]): SubjectPlan {
  return { asked: () => querySubjects, announced: () => watchSubjects, watched: () => watchSubjects };
}

/** A subject for each service below the others, so that only those who have to do with it hear of it. */
export function subjectsByName(querySubjects: readonly string[], watchSubjects: readonly string[]): SubjectPlan {
  const below = (subjects: readonly string[], token: string) => subjects.map((subject) => `${subject}.${token}`);
  return {
    asked: (name) => (name === undefined ? querySubjects : below(querySubjects, tokenOf(name))),
    announced: (name) => below(watchSubjects, tokenOf(name)),
    watched: (name) => below(watchSubjects, name === undefined ? '*' : tokenOf(name)),
  };
}

const longestToken = 255;

/**
 * A name as one token of a subject: percent-encoded, or a hash where that is too long for a subject.
 *
 * Two names with one token would share a subject, which does no harm: payloads carry the name itself.
 */
export function tokenOf(name: string): string {
  const isPlain = /^[\w-]+$/.test(name);
  // A lone surrogate has no UTF-8.
  const token = isPlain ? name : encodeURIComponent(Buffer.from(name).toString()).replaceAll(/[.*]/g, escapeCharacter);
  return token.length > longestToken ? `~${createHash('sha256').update(name).digest('hex')}` : token;
}

function escapeCharacter(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
