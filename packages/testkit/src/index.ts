export { brokerContract, registryContract, transportContract } from './contract.ts';
export { ContractError } from './contract-error.ts';
export { formatReport, formatSummary } from './report.ts';
export { runContract } from './run-contract.ts';

export type {
  BackendUnderTest,
  BrokerUnderTest,
  CaseSummary,
  Faults,
  Harness,
  InterfaceName,
  Interfaces,
  KnownFailing,
  RegistryUnderTest,
  Timing,
  TransportSettings,
  TransportUnderTest,
} from './backend.ts';
export type { BoundCase, Contract } from './contract.ts';
export type { ContractReport } from './report.ts';
export type { CaseResult } from './case-result.ts';
