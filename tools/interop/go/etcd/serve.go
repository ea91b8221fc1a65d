package main

import (
	"context"

	micro "go-micro.dev/v5"
	"go-micro.dev/v5/client"
	"go-micro.dev/v5/registry"
	"go-micro.dev/v5/registry/etcd"
	"go-micro.dev/v5/server"
	"go-micro.dev/v5/transport"
	natstransport "go-micro.dev/v5/transport/nats"
)

// HelloRequest says whom to greet.
type HelloRequest struct {
	Name string `json:"name"`
}

// HelloResponse has the greeting.
type HelloResponse struct {
	Msg string `json:"msg"`
}

// Greeter is the one endpoint that clients of a mixed composition call.
type Greeter struct{}

// Hello greets.
func (*Greeter) Hello(_ context.Context, request *HelloRequest, response *HelloResponse) error {
	response.Msg = "Hello " + request.Name
	return nil
}

// serve runs a greeter that is found by etcd and called over NATS, until it is told to stop.
func serve(etcdAddress string, natsAddress string) error {
	var service micro.Service
	service = micro.NewService(
		micro.Server(server.NewServer()),
		micro.Client(client.NewClient()),
		micro.Registry(etcd.NewEtcdRegistry(registry.Addrs(etcdAddress))),
		micro.Transport(natstransport.NewTransport(transport.Addrs(natsAddress))),
		micro.Name("greeter"),
		micro.Version("1.0.0"),
		micro.AfterStart(func() error {
			options := service.Server().Options()
			say("ready", options.Name+"-"+options.Id)
			return nil
		}),
	)
	if err := micro.RegisterHandler(service.Server(), &Greeter{}); err != nil {
		return err
	}
	return service.Run()
}
