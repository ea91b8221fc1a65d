/** Facts that belong to a log line; never bodies or credentials. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Takes what a backend can neither throw nor return. `console` and pino fit through a one-line wrapper. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Says nothing: the default everywhere. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
