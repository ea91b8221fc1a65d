import { answerCommands } from '../harness/answer-commands.ts';

/** A fresh process that loads modules once and says how long that took. */
answerCommands({
  async import({ modules }: { modules: readonly string[] }) {
    const beganAtMs = performance.now();
    for (const name of modules) await import(name);
    return performance.now() - beganAtMs;
  },
  close: () => {},
});
