/** A TypeScript type, and what is to be said of it. */
export interface TypeText {
  readonly text: string;
  /** Further facts that the type alone does not tell. */
  readonly note?: string | undefined;
  /** That its integers may be beyond a `number`. */
  readonly hasBigIntegers?: boolean | undefined;
}

export const unknownType: TypeText = { text: 'unknown' };

/** The type as a member of a longer one. */
export function grouped(text: string): string {
  return /[|&]/.test(text) && !text.startsWith('{') ? `(${text})` : text;
}

/** Several types' notes as one. */
export function notesOf(...types: readonly TypeText[]): string | undefined {
  const notes = [...new Set(types.map(({ note }) => note).filter((note) => note !== undefined))];
  return notes.length === 0 ? undefined : notes.join(' ');
}
