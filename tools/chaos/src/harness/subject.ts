/** For a subject: what its starter asks of it. */
export function settingsOf<Settings>(): Settings {
  return JSON.parse(process.argv[2] ?? '{}') as Settings;
}

/** For a subject: tells its starter. */
export function tell(event: string, fields: object = {}): void {
  process.send?.({ event, at: Date.now(), ...fields });
}

/** For a subject: answers commands with what the function returns, and ends with its starter. */
export function onCommand(answer: Readonly<Record<string, () => object | Promise<object>>>): void {
  process.on('message', async ({ command }: { command: string }) => {
    tell(command, (await answer[command]?.()) ?? {});
  });
  process.on('disconnect', () => process.exit());
}
