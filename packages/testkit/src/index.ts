export { brokerContract, registryContract, transportContract } from './contract.ts';
export { ContractError } from './run/contract-error.ts';
export { formatBadge } from './run/badge.ts';
export { formatLevels } from './run/levels.ts';
export { formatReport, formatSummary } from './run/report.ts';
export { runContract } from './run/run-contract.ts';
export { runProgram } from './run/run-program.ts';

export type {
  BackendUnderTest,
  BrokerUnderTest,
  CaseSummary,
  Faults,
  Harness,
  InterfaceName,
  Interfaces,
  KnownFailing,
  Programs,
  RegistryUnderTest,
  Timing,
  TransportSettings,
  TransportUnderTest,
} from './backend.ts';
export type { BoundCase, Contract } from './contract.ts';
export type { ContractReport } from './run/report.ts';
export type { CaseResult } from './run/case-result.ts';
export type { Level, LevelResult } from './run/levels.ts';
