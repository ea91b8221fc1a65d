/**
 * What we take of the client, by `require()`: an `import` of CommonJS reads and parses its files a second time to learn
 * their names, which takes a process longer than all of our own packages' parsing.
 */
const { connect, jwtAuthenticator, nkeyAuthenticator, nkeys } = require('nats');
const { setTransportFactory } = require('nats/lib/nats-base-client/transport.js');
const { NodeTransport, nodeResolveHost } = require('nats/lib/src/node_transport.js');

module.exports = {
  connect,
  jwtAuthenticator,
  nkeyAuthenticator,
  nkeys,
  setTransportFactory,
  NodeTransport,
  nodeResolveHost,
};
