import { spawn } from 'node:child_process';

/**
 * Runs a program to its end and returns what it said; it is killed after `withinMs`.
 *
 * @type {(program: string, parameters: string[], options: { cwd: string, env?: NodeJS.ProcessEnv, withinMs?: number })
 * => Promise<{ ok: boolean, output: string }>}
 */
export function run(program, parameters, { cwd, env = process.env, withinMs = 300_000 }) {
  return new Promise((resolve) => {
    const child = spawn(program, parameters, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: withinMs,
      killSignal: 'SIGKILL',
      shell: process.platform === 'win32' && program !== process.execPath,
    });
    let output = '';
    /** @type {(text: Buffer) => void} */
    const keep = (text) => {
      output += text;
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => resolve({ ok: false, output: error.message }));
    child.once('close', (status, signal) => {
      if (signal) output += `\nended by ${signal}, ${withinMs} ms at the most`;
      resolve({ ok: status === 0, output: output.trim() });
    });
  });
}
