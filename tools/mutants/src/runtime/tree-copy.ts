import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A copy of the working tree to change files in, with its dependencies installed. */
export class TreeCopy implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'ts-micro-mutants-'));

  constructor(root: string) {
    const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
      cwd: root,
      encoding: 'utf8',
    });
    for (const file of listed.split('\0').filter(Boolean)) {
      // Deleted, and not committed yet.
      if (!existsSync(join(root, file))) continue;
      const target = join(this.folder, file);
      mkdirSync(dirname(target), { recursive: true });
      cpSync(join(root, file), target, { force: true });
    }
    execFileSync(
      process.execPath,
      ['-e', "import('./tools/setup/dependencies.mjs').then((d) => d.installDependencies())"],
      {
        cwd: this.folder,
        stdio: 'ignore',
      },
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
