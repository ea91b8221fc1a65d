const patterns: readonly (readonly [string, RegExp])[] = [
  ['inbox', /_INBOX\.[A-Za-z0-9]{22}/g],
  ['uuid', /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g],
];

/**
 * Gives what is random in a recording (inboxes, ids) stable names: the first inbox is `<inbox 1>` wherever it occurs.
 */
export class Normaliser {
  readonly #names = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  text(text: string): string {
    let result = text;
    for (const [kind, pattern] of patterns) result = result.replace(pattern, (found) => this.#name(kind, found));
    return result;
  }

  #name(kind: string, found: string): string {
    let name = this.#names.get(found);
    if (name === undefined) {
      const count = (this.#counts.get(kind) ?? 0) + 1;
      this.#counts.set(kind, count);
      name = `<${kind} ${count}>`;
      this.#names.set(found, name);
    }
    return name;
  }
}
