package main

import (
	"time"

	natsbroker "github.com/go-micro/plugins/v4/broker/nats"
	natsregistry "github.com/go-micro/plugins/v4/registry/nats"
	natstransport "github.com/go-micro/plugins/v4/transport/nats"
	"go-micro.dev/v4/broker"
	"go-micro.dev/v4/registry"
	"go-micro.dev/v4/transport"
)

// plugins are those of NATS.
func plugins(nats string, registryTimeoutMs int) (registry.Registry, broker.Broker, transport.Transport) {
	options := []registry.Option{registry.Addrs(nats)}
	if registryTimeoutMs > 0 {
		options = append(options, registry.Timeout(time.Duration(registryTimeoutMs)*time.Millisecond))
	}
	return natsregistry.NewRegistry(options...), natsbroker.NewBroker(broker.Addrs(nats)), natstransport.NewTransport(transport.Addrs(nats))
}
