/** Notes promises that reject with nobody listening, from now until `stop`. */
export function watchRejections(): { stop(): void; assertNone(): void } {
  let first: { readonly reason: unknown } | undefined;
  const onRejection = (reason: unknown): void => {
    first ??= { reason };
  };
  process.on('unhandledRejection', onRejection);
  return {
    stop() {
      process.off('unhandledRejection', onRejection);
    },
    assertNone() {
      if (first)
        throw new Error(`a promise was rejected with nobody listening: ${first.reason}`, { cause: first.reason });
    },
  };
}
