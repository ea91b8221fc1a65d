/** Notes promises that reject with nobody listening, from now until `stop`. */
export function watchRejections(): { stop(): void; assertNone(): Promise<void> } {
  let first: { readonly reason: unknown } | undefined;
  const onRejection = (reason: unknown): void => {
    first ??= { reason };
  };
  process.on('unhandledRejection', onRejection);
  return {
    stop() {
      process.off('unhandledRejection', onRejection);
    },
    async assertNone() {
      // Node tells of a rejection only when all that was ready to run has run.
      await new Promise((resolve) => setImmediate(resolve));
      if (first)
        throw new Error(`a promise was rejected with nobody listening: ${first.reason}`, { cause: first.reason });
    },
  };
}
