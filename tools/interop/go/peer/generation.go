// Package peer is what the Go Micro peers of every generation share: the command line, the JSON lines, and the plain
// handlers of the greeter. It knows nothing of Go Micro; each generation implements Generation with its own imports.
package peer

import (
	"context"
	"encoding/json"
)

// Call is one request as the runner asks for it.
type Call struct {
	Service         string            `json:"service"`
	Endpoint        string            `json:"endpoint"`
	Body            json.RawMessage   `json:"body"`
	Metadata        map[string]string `json:"metadata"`
	ContentType     string            `json:"contentType"`
	TimeoutMs       int               `json:"timeoutMs"`
	Retries         *int              `json:"retries"`
	Address         string            `json:"address"`
	CloseConnection bool              `json:"closeConnection"`
	// Proto sends and receives google.protobuf.StringValue; the body is a JSON string.
	Proto bool `json:"proto"`
}

// Failure is an error as Go Micro parses it.
type Failure struct {
	ID     string `json:"id"`
	Code   int32  `json:"code"`
	Detail string `json:"detail"`
	Status string `json:"status"`
	Text   string `json:"text"`
}

// Event is one broker message as the Go broker hands it over.
type Event struct {
	Topic  string            `json:"topic"`
	Header map[string]string `json:"header"`
	Body   string            `json:"body"`
	Error  string            `json:"error,omitempty"`
}

// Stream is one open client stream.
type Stream interface {
	Send(body json.RawMessage) error
	Receive() (json.RawMessage, error)
	Close() error
}

// ServerOptions say which greeter to run.
type ServerOptions struct {
	Name       string
	Version    string
	ID         string
	Address    string
	Metadata   map[string]string
	IntervalMs int
	// Empty serves nothing.
	Empty bool
	// Generated serves the greeter that is generated from the .proto file instead, where the generation has one.
	Generated bool
	// Trace has every span written as a line, where the generation has an OpenTelemetry wrapper.
	Trace bool
}

// Client is everything one Go process can do towards others.
type Client interface {
	Call(ctx context.Context, call Call) (json.RawMessage, error)
	Stream(ctx context.Context, call Call) (Stream, error)
	Publish(ctx context.Context, topic string, contentType string, body json.RawMessage) error
	PublishRaw(topic string, header map[string]string, body []byte) error
	Subscribe(topic string, queue string, handler func(Event)) error
	GetService(name string) (any, error)
	ListServices() (any, error)
	Watch(name string, handler func(action string, service any)) error
	Register(record json.RawMessage) error
	Deregister(record json.RawMessage) error
	// SendTransport dials an address, sends one message and, where asked, waits for one answer.
	SendTransport(address string, header map[string]string, body []byte, receive bool) (map[string]string, []byte, error)
	Parse(err error) Failure
	WithMetadata(ctx context.Context, metadata map[string]string) context.Context
}

// StreamEvent is one event of an events.Stream.
type StreamEvent struct {
	ID        string            `json:"id"`
	Topic     string            `json:"topic"`
	Timestamp string            `json:"timestamp"`
	Metadata  map[string]string `json:"metadata"`
	Payload   string            `json:"payload"`
}

// EventStreams is what a client also is where its generation has events.Stream over JetStream.
type EventStreams interface {
	PublishEvent(topic string, payload json.RawMessage, metadata map[string]string) error
	ConsumeEvents(topic string, group string, handler func(StreamEvent)) error
}

// GeneratedClient is what a client also is where its generation has the client that is generated from the .proto file.
type GeneratedClient interface {
	// CallGenerated calls a method with messages in the JSON of Protocol Buffers, and returns what it has received of at
	// most receive messages, and what became of closing the sending side.
	CallGenerated(ctx context.Context, call GeneratedCall) (received []json.RawMessage, closeSend error, err error)
}

// GeneratedCall is one call of a generated client.
type GeneratedCall struct {
	Service string
	Method  string
	Send    []json.RawMessage
	// CloseSend closes the sending side after the last message.
	CloseSend bool
	// Receive is how many messages of a stream to wait for; -1 for all of them.
	Receive int
}

// Generation is one version of Go Micro.
type Generation interface {
	// Serve runs the greeter until SIGTERM or SIGINT.
	Serve(nats string, options ServerOptions, out *Lines) error
	Connect(nats string, contentType string, registryTimeoutMs int) (Client, error)
}
