export { correlatedLogger } from './log/correlated-logger.ts';
export { openTelemetry } from './open-telemetry.ts';

export type { Observed, PublishCounts } from './observe/observe.ts';
export type { OpenTelemetryOptions, Telemetry } from './open-telemetry.ts';
