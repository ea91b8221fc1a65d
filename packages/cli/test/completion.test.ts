import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { completionScript } from '../src/completion/scripts.ts';

describe('the script for', () => {
  it('bash asks the program for the words typed so far, and completes by its answer', () => {
    const script = `
      ts-micro() { printf '%s\\n' "$@" > /dev/stderr; printf 'greeter\\ngreeting\\n'; }
      ${completionScript('bash')}
      COMP_WORDS=(ts-micro call gre) COMP_CWORD=2
      _ts_micro
      printf '%s|' "\${COMPREPLY[@]}"`;
    // The program's own standard error is silenced by the script, as a shell must not show it.
    expect(execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' })).toBe('greeter|greeting|');
  });

  it('another shell is not there', () => {
    expect(completionScript('constructor')).toBeUndefined();
  });
});
