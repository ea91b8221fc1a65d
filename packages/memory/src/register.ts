import { MicroError, type PluginOptions, registerPlugin } from '@ts-micro/core';
import { memoryBroker, memoryRegistry, memoryTransport } from '@ts-micro/memory';

registerPlugin('transport', 'memory', ({ addresses, logger }) => {
  refuseAddresses('transport', addresses);
  return memoryTransport({ logger });
});
registerPlugin('broker', 'memory', ({ addresses, logger }) => {
  refuseAddresses('broker', addresses);
  return memoryBroker({ logger });
});
registerPlugin('registry', 'memory', ({ addresses }) => {
  refuseAddresses('registry', addresses);
  return memoryRegistry();
});

// Who names a server wants one, and would get a backend that nobody outside this process sees.
function refuseAddresses(kind: string, addresses: PluginOptions['addresses'] = []): void {
  if (addresses.length === 0) return;
  throw new MicroError('invalid', `memory ${kind}: takes no addresses, but was given ${addresses.join(', ')}`);
}
