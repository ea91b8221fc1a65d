import type { CaseResult } from './case-result.ts';

const shownLines = 60;

/** The error that `verify` rejects with: the reason, and the last of what was sent and received. */
export class ContractError extends Error {
  override readonly name: string = 'ContractError';
  readonly result: CaseResult;

  constructor(backend: string, result: CaseResult) {
    const lines = result.trace ?? [];
    const shown = lines.slice(-shownLines);
    const trace = shown.length > 0 ? `\n\nsent and received (last ${shown.length} lines):\n${shown.join('\n')}` : '';
    super(`${backend}: ${result.id}: ${result.reason}${trace}`);
    if (result.details !== undefined) this.stack = `${this.name}: ${this.message}\n\n${result.details}`;
    this.result = result;
  }
}
