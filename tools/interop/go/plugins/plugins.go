package main

import (
	"log"
	"os"
	"time"

	"github.com/Shopify/sarama"
	"github.com/go-micro/plugins/v4/broker/kafka"
	natsbroker "github.com/go-micro/plugins/v4/broker/nats"
	"github.com/go-micro/plugins/v4/registry/etcd"
	natsregistry "github.com/go-micro/plugins/v4/registry/nats"
	natstransport "github.com/go-micro/plugins/v4/transport/nats"
	"github.com/go-micro/plugins/v4/transport/rabbitmq"
	"go-micro.dev/v4/broker"
	"go-micro.dev/v4/registry"
	"go-micro.dev/v4/transport"
)

// plugins are those whose server an environment variable names, and else those of NATS.
func plugins(nats string, registryTimeoutMs int) (registry.Registry, broker.Broker, transport.Transport) {
	timeout := 100 * time.Millisecond
	if registryTimeoutMs > 0 {
		timeout = time.Duration(registryTimeoutMs) * time.Millisecond
	}
	r := natsregistry.NewRegistry(registry.Addrs(nats), registry.Timeout(timeout))
	if address := os.Getenv("TS_MICRO_ETCD"); address != "" {
		r = etcd.NewRegistry(registry.Addrs(address))
	}
	t := natstransport.NewTransport(transport.Addrs(nats))
	if address := os.Getenv("TS_MICRO_RABBITMQ"); address != "" {
		t = rabbitmq.NewTransport(transport.Addrs("amqp://guest:guest@" + address))
	}
	b := natsbroker.NewBroker(broker.Addrs(nats))
	if address := os.Getenv("TS_MICRO_KAFKA"); address != "" {
		// Without it the plugin commits by version 1 of the request, at which Kafka 4 hangs up.
		if os.Getenv("TS_MICRO_KAFKA_AS_IT_COMES") == "" {
			kafka.DefaultClusterConfig.Consumer.Offsets.Retention = time.Hour
		} else {
			sarama.Logger = log.New(os.Stderr, "sarama: ", 0)
		}
		b = kafka.NewBroker(broker.Addrs(address))
	}
	return r, b, t
}
