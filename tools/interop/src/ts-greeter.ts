import { TsPeer } from './matrix/ts-peer.ts';

// A TypeScript greeter as a process of its own, to be killed: `node ts-greeter.js 127.0.0.1:4222 NAME VERSION`. It ends
// with its stdin.
const [address = '', name = 'greeter', version = '1.0.0'] = process.argv.slice(2);
const peer = await TsPeer.serve({ address, name, version, library: 'nats', complaints: [] });
console.log(JSON.stringify({ event: 'ready', id: peer.service.node?.id, address: peer.service.node?.address }));
process.stdin.once('end', () => process.exit()).resume();
