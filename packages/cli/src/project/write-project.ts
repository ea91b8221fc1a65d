import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MicroError } from '@ts-micro/core';
import type { ProjectFiles } from './project-files.ts';

/** Writes the files into a folder, which is made. Throws `conflict` where something is in it already. */
export async function writeProject(folder: string, files: ProjectFiles): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    if ((await readdir(folder)).length > 0)
      throw new MicroError('conflict', `${folder} is not empty; name another folder with --out`);
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text, { flag: 'wx' });
    }
  } catch (error) {
    throw MicroError.from(error, 'conflict', `${folder} cannot be written`);
  }
}
