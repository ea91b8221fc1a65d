/** What `act` throws, or what the promise it returns rejects with; `undefined` where it does neither. */
export function thrownBy(act: () => Promise<unknown>): Promise<unknown>;
export function thrownBy(act: () => unknown): unknown;
export function thrownBy(act: () => unknown): unknown {
  try {
    const result = act();
    return result instanceof Promise
      ? result.then(
          () => undefined,
          (error: unknown) => error,
        )
      : undefined;
  } catch (error) {
    return error;
  }
}
