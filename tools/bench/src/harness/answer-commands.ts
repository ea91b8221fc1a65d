/** What the parent may ask of this process, by name. */
export type Commands = Readonly<Record<string, (parameters: never) => unknown>>;

interface Request {
  readonly id: number;
  readonly command: string;
  readonly parameters: unknown;
}

/** Answers the parent's commands, each as it comes, until the parent is gone; then this process ends. */
export function answerCommands(commands: Commands): void {
  process.on('message', (request: Request) => void answerOne(commands, request));
  process.on('disconnect', () => process.exit());
}

async function answerOne(commands: Commands, { id, command, parameters }: Request): Promise<void> {
  try {
    const run = Object.hasOwn(commands, command) ? commands[command] : undefined;
    if (run === undefined) throw new Error(`there is no command "${command}"`);
    process.send?.({ id, result: await run(parameters as never) });
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}
