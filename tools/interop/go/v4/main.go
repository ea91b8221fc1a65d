// The peer of generation v4: Go Micro v4 with the NATS plugins of go-micro/plugins.
package main

import (
	"context"
	"encoding/json"
	"io"
	"time"

	micro "go-micro.dev/v4"
	"go-micro.dev/v4/broker"
	"go-micro.dev/v4/client"
	"go-micro.dev/v4/errors"
	"go-micro.dev/v4/metadata"
	"go-micro.dev/v4/registry"
	"go-micro.dev/v4/server"
	"go-micro.dev/v4/transport"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"ts-micro.example/interop/peer"
)

func main() { peer.Main(generation{}) }

type generation struct{}

func newService(nats string, contentType string, registryTimeoutMs int, options peer.ServerOptions, more ...micro.Option) micro.Service {
	r, b, t := plugins(nats, registryTimeoutMs)
	serverOptions := []server.Option{server.Metadata(options.Metadata)}
	if options.ID != "" {
		serverOptions = append(serverOptions, server.Id(options.ID))
	}
	if options.Address != "" {
		serverOptions = append(serverOptions, server.Address(options.Address))
	}
	return micro.NewService(append([]micro.Option{
		micro.Server(server.NewServer(serverOptions...)),
		micro.Client(client.NewClient(client.ContentType(contentType))),
		micro.Registry(r),
		micro.Broker(b),
		micro.Transport(t),
		micro.Name(options.Name),
		micro.Version(options.Version),
	}, more...)...)
}

// Greeter is the service under test.
type Greeter struct {
	peer.Unary
	client client.Client
	out    *peer.Lines
}

func (g *Greeter) Hello(ctx context.Context, request *peer.HelloRequest, response *peer.HelloResponse) error {
	response.Msg = peer.Greeting(request.Name)
	return g.client.Publish(ctx, g.client.NewMessage("greeter.greeted", request))
}

// Context shows what the handler sees of the request's headers and deadline.
func (g *Greeter) Context(ctx context.Context, _ *peer.Empty, response *peer.ContextResponse) error {
	response.Metadata, _ = metadata.FromContext(ctx)
	response.RemainingMs = peer.Remaining(ctx)
	return nil
}

func (g *Greeter) Fail(_ context.Context, request *peer.FailRequest, _ *peer.Empty) error {
	return errors.New("greeter", request.Detail, request.Code)
}

// Proto is Hello for callers that speak protobuf.
func (g *Greeter) Proto(_ context.Context, request *wrapperspb.StringValue, response *wrapperspb.StringValue) error {
	if request.Value == "fail" {
		return errors.NotFound("greeter", "told to fail")
	}
	if request.Value != "" {
		response.Value = peer.Greeting(request.Value)
	}
	return nil
}

// Count answers the second message of the stream, which is where generated Go clients put the request. It takes its time, because
// Go Micro's server corrupts messages that it sends in quick succession: see Burst.
func (g *Greeter) Count(_ context.Context, stream server.Stream) error {
	var request peer.CountRequest
	if err := stream.Recv(&request); err != nil {
		return err
	}
	if request.To < 0 {
		return errors.BadRequest("greeter", "to is %d", request.To)
	}
	for value := 1; value <= request.To; value++ {
		if err := stream.Send(&peer.CountResponse{Value: value}); err != nil {
			return err
		}
		time.Sleep(peer.Pace)
	}
	return nil
}

// Burst is Count without a pause.
func (g *Greeter) Burst(_ context.Context, stream server.Stream) error {
	var request peer.CountRequest
	if err := stream.Recv(&request); err != nil {
		return err
	}
	for value := 1; value <= request.To; value++ {
		if err := stream.Send(&peer.CountResponse{Value: value}); err != nil {
			return err
		}
	}
	return nil
}

// Sum answers once the client has said its last.
func (g *Greeter) Sum(_ context.Context, stream server.Stream) error {
	sum := 0
	for {
		var message peer.CountResponse
		if err := stream.Recv(&message); err == io.EOF {
			return stream.Send(&peer.CountResponse{Value: sum})
		} else if err != nil {
			return err
		}
		sum += message.Value
	}
}

func (g *Greeter) Chat(_ context.Context, stream server.Stream) error {
	for {
		var message peer.TextMessage
		if err := stream.Recv(&message); err != nil {
			g.out.Write(map[string]any{"event": "chat over", "error": err.Error()})
			return nil
		}
		if err := stream.Send(&peer.TextMessage{Text: peer.Shout(message.Text)}); err != nil {
			return err
		}
	}
}

func (generation) Serve(nats string, options peer.ServerOptions, out *peer.Lines) error {
	var service micro.Service
	service = newService(nats, "application/json", 0, options,
		micro.RegisterInterval(time.Duration(options.IntervalMs)*time.Millisecond),
		micro.AfterStart(func() error {
			running := service.Server().Options()
			out.Write(map[string]any{"event": "ready", "service": running.Name, "id": running.Name + "-" + running.Id, "address": running.Address})
			return nil
		}),
		micro.AfterStop(func() error {
			out.Write(map[string]any{"event": "stopped"})
			return nil
		}),
	)
	running := service.Server().Options()
	greeter := &Greeter{Unary: peer.Unary{ID: running.Name + "-" + running.Id}, client: service.Client(), out: out}
	if options.Empty {
		return service.Run()
	}
	if err := micro.RegisterHandler(service.Server(), greeter); err != nil {
		return err
	}
	say := func(ctx context.Context, message *peer.TextMessage) error {
		headers, _ := metadata.FromContext(ctx)
		out.Write(map[string]any{"event": "say", "text": message.Text, "headers": headers})
		switch message.Text {
		case "fail":
			return errors.BadRequest("greeter", "told to fail")
		case "panic":
			panic("told to panic")
		default:
			return nil
		}
	}
	if err := micro.RegisterSubscriber("greeter.say", service.Server(), say, server.SubscriberQueue("greeter")); err != nil {
		return err
	}
	return service.Run()
}

type microClient struct {
	client    client.Client
	registry  registry.Registry
	broker    broker.Broker
	transport transport.Transport
}

func (generation) Connect(nats string, contentType string, registryTimeoutMs int) (peer.Client, error) {
	service := newService(nats, contentType, registryTimeoutMs, peer.ServerOptions{Name: "interop.client", Version: "1.0.0"})
	options := service.Options()
	if err := options.Broker.Connect(); err != nil {
		return nil, err
	}
	return &microClient{client: service.Client(), registry: options.Registry, broker: options.Broker, transport: options.Transport}, nil
}

func (c *microClient) prepare(call peer.Call, body any) (client.Request, []client.CallOption) {
	requestOptions := []client.RequestOption{}
	if call.ContentType != "" {
		requestOptions = append(requestOptions, client.WithContentType(call.ContentType))
	}
	options := []client.CallOption{}
	if call.TimeoutMs > 0 {
		options = append(options, timeouts(time.Duration(call.TimeoutMs)*time.Millisecond)...)
	}
	if call.Retries != nil {
		options = append(options, client.WithRetries(*call.Retries))
	}
	if call.Address != "" {
		options = append(options, client.WithAddress(call.Address))
	}
	if call.CloseConnection {
		options = append(options, closeConnection()...)
	}
	return c.client.NewRequest(call.Service, call.Endpoint, body, requestOptions...), options
}

func (c *microClient) Call(ctx context.Context, call peer.Call) (json.RawMessage, error) {
	if call.Proto {
		return c.callProto(ctx, call)
	}
	var response json.RawMessage
	request, options := c.prepare(call, &call.Body)
	err := c.client.Call(ctx, request, &response, options...)
	return response, err
}

func (c *microClient) callProto(ctx context.Context, call peer.Call) (json.RawMessage, error) {
	var text string
	if err := json.Unmarshal(call.Body, &text); err != nil {
		return nil, err
	}
	var response wrapperspb.StringValue
	request, options := c.prepare(call, &wrapperspb.StringValue{Value: text})
	if err := c.client.Call(ctx, request, &response, options...); err != nil {
		return nil, err
	}
	return json.Marshal(response.Value)
}

func (c *microClient) Stream(ctx context.Context, call peer.Call) (peer.Stream, error) {
	opener := call.Body
	if opener == nil {
		opener = json.RawMessage("{}")
	}
	request, options := c.prepare(call, &opener)
	stream, err := c.client.Stream(ctx, request, options...)
	if err != nil {
		return nil, err
	}
	return microStream{stream}, nil
}

type microStream struct{ stream client.Stream }

func (s microStream) Send(body json.RawMessage) error { return s.stream.Send(&body) }

func (s microStream) Receive() (json.RawMessage, error) {
	var body json.RawMessage
	err := s.stream.Recv(&body)
	return body, err
}

func (s microStream) Close() error { return s.stream.Close() }

func (c *microClient) Publish(ctx context.Context, topic string, contentType string, body json.RawMessage) error {
	options := []client.MessageOption{}
	if contentType != "" {
		options = append(options, client.WithMessageContentType(contentType))
	}
	return c.client.Publish(ctx, c.client.NewMessage(topic, &body, options...))
}

func (c *microClient) PublishRaw(topic string, header map[string]string, body []byte) error {
	return c.broker.Publish(topic, &broker.Message{Header: header, Body: body})
}

func (c *microClient) Subscribe(topic string, queue string, handler func(peer.Event)) error {
	options := []broker.SubscribeOption{}
	if queue != "" {
		options = append(options, broker.Queue(queue))
	}
	_, err := c.broker.Subscribe(topic, func(event broker.Event) error {
		message := event.Message()
		handler(peer.Event{Topic: event.Topic(), Header: message.Header, Body: string(message.Body)})
		return nil
	}, options...)
	return err
}

func (c *microClient) GetService(name string) (any, error) { return c.registry.GetService(name) }

func (c *microClient) ListServices() (any, error) { return c.registry.ListServices() }

func (c *microClient) Watch(name string, handler func(string, any)) error {
	options := []registry.WatchOption{}
	if name != "" {
		options = append(options, registry.WatchService(name))
	}
	watcher, err := c.registry.Watch(options...)
	if err != nil {
		return err
	}
	go func() {
		for {
			result, err := watcher.Next()
			if err != nil {
				handler("error: "+err.Error(), nil)
				return
			}
			if result == nil {
				handler("nothing", nil)
				continue
			}
			handler(result.Action, result.Service)
		}
	}()
	return nil
}

func (c *microClient) Register(record json.RawMessage) error {
	var service registry.Service
	if err := json.Unmarshal(record, &service); err != nil {
		return err
	}
	return c.registry.Register(&service)
}

func (c *microClient) Deregister(record json.RawMessage) error {
	var service registry.Service
	if err := json.Unmarshal(record, &service); err != nil {
		return err
	}
	return c.registry.Deregister(&service)
}

func (c *microClient) SendTransport(address string, header map[string]string, body []byte, receive bool) (map[string]string, []byte, error) {
	socket, err := c.transport.Dial(address)
	if err != nil {
		return nil, nil, err
	}
	defer socket.Close()
	if err := socket.Send(&transport.Message{Header: header, Body: body}); err != nil || !receive {
		return nil, nil, err
	}
	var answer transport.Message
	err = socket.Recv(&answer)
	return answer.Header, answer.Body, err
}

func (c *microClient) Parse(err error) peer.Failure {
	parsed := errors.Parse(err.Error())
	return peer.Failure{ID: parsed.Id, Code: parsed.Code, Detail: parsed.Detail, Status: parsed.Status, Text: err.Error()}
}

func (c *microClient) WithMetadata(ctx context.Context, values map[string]string) context.Context {
	if len(values) == 0 {
		return ctx
	}
	return metadata.NewContext(ctx, values)
}

// timeouts bound the whole call and, since v4.10, each attempt; v4 has no option for the latter.
func timeouts(duration time.Duration) []client.CallOption {
	return []client.CallOption{client.WithRequestTimeout(duration), func(options *client.CallOptions) { options.ConnectionTimeout = duration }}
}

func closeConnection() []client.CallOption { return []client.CallOption{client.WithConnClose()} }
