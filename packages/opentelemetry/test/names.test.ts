import {
  ATTR_ERROR_TYPE,
  ATTR_RPC_METHOD,
  ATTR_RPC_STATUS_CODE,
  ATTR_RPC_SYSTEM_NAME,
  ATTR_SERVER_ADDRESS,
  METRIC_RPC_CLIENT_CALL_DURATION,
  METRIC_RPC_SERVER_CALL_DURATION,
} from '@opentelemetry/semantic-conventions';
import * as incubating from '@opentelemetry/semantic-conventions/incubating';
import { expect, it } from 'vitest';
import { attribute, metric } from '../src/names.ts';

it('names of attributes and metrics are those of the semantic conventions', () => {
  expect(attribute).toMatchObject({
    errorType: ATTR_ERROR_TYPE,
    rpcSystem: ATTR_RPC_SYSTEM_NAME,
    rpcMethod: ATTR_RPC_METHOD,
    rpcStatus: ATTR_RPC_STATUS_CODE,
    serverAddress: ATTR_SERVER_ADDRESS,
    messagingSystem: incubating.ATTR_MESSAGING_SYSTEM_NAME,
    operationName: incubating.ATTR_MESSAGING_OPERATION_NAME,
    operationType: incubating.ATTR_MESSAGING_OPERATION_TYPE,
    destination: incubating.ATTR_MESSAGING_DESTINATION_NAME,
    destinationTemplate: incubating.ATTR_MESSAGING_DESTINATION_TEMPLATE,
    consumerGroup: incubating.ATTR_MESSAGING_CONSUMER_GROUP_NAME,
    direction: incubating.ATTR_NETWORK_IO_DIRECTION,
  });
  expect(metric).toMatchObject({
    clientDuration: METRIC_RPC_CLIENT_CALL_DURATION,
    serverDuration: METRIC_RPC_SERVER_CALL_DURATION,
    publishDuration: incubating.METRIC_MESSAGING_CLIENT_OPERATION_DURATION,
    sentMessages: incubating.METRIC_MESSAGING_CLIENT_SENT_MESSAGES,
    processDuration: incubating.METRIC_MESSAGING_PROCESS_DURATION,
    consumedMessages: incubating.METRIC_MESSAGING_CLIENT_CONSUMED_MESSAGES,
  });
});

it('other names are our own', () => {
  const known = new Set<string>(Object.values(incubating).filter((value) => typeof value === 'string'));
  for (const name of [...Object.values(attribute), ...Object.values(metric)]) {
    expect(known.has(name) || name.startsWith('ts_micro.')).toBe(true);
  }
});
