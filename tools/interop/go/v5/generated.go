package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"go-micro.dev/v5/errors"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"ts-micro.example/interop/peer"
)

// generatedGreeter is the greeter whose interface protoc-gen-micro has generated from greeter.proto.
type generatedGreeter struct{}

func (generatedGreeter) Hello(_ context.Context, request *HelloRequest, response *HelloResponse) error {
	if len(request.Name) > 20 {
		return peer.TooLong(20)
	}
	response.Msg = peer.Greeting(request.Name)
	for _, title := range request.Titles {
		response.Msg += ", " + title
	}
	response.At = request.Scores[request.Name]
	response.Token = []byte(request.Name)
	return nil
}

func (generatedGreeter) Count(_ context.Context, request *CountRequest, stream Greeter_CountStream) error {
	if request.To < 0 {
		return errors.BadRequest("greeter", "to is %d", request.To)
	}
	for value := int64(1); value <= int64(request.To); value++ {
		if err := stream.Send(&CountResponse{Value: value}); err != nil {
			return err
		}
		time.Sleep(peer.Pace)
	}
	return nil
}

// Sum sends its response by SendMsg, as the stream that is generated has no method for the one response.
func (generatedGreeter) Sum(_ context.Context, stream Greeter_SumStream) error {
	sum := int64(0)
	for {
		message, err := stream.Recv()
		if err == io.EOF {
			return stream.SendMsg(&CountResponse{Value: sum})
		}
		if err != nil {
			return err
		}
		sum += message.Value
	}
}

func (generatedGreeter) Chat(_ context.Context, stream Greeter_ChatStream) error {
	for {
		message, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if message.Text == "fail" {
			return errors.Conflict("greeter", "enough")
		}
		if err := stream.Send(&ChatMessage{Text: peer.Shout(message.Text)}); err != nil {
			return err
		}
	}
}

func (generatedGreeter) Proto(_ context.Context, request *wrapperspb.StringValue, response *wrapperspb.StringValue) error {
	response.Value = peer.Greeting(request.Value)
	return nil
}

// conversation is what the streams of a generated client have in common.
type conversation interface {
	SendMsg(any) error
	RecvMsg(any) error
	CloseSend() error
	Close() error
}

func (c *microClient) CallGenerated(ctx context.Context, call peer.GeneratedCall) ([]json.RawMessage, error, error) {
	greeter := NewGreeterService(call.Service, c.client)
	switch call.Method {
	case "Hello":
		request := &HelloRequest{}
		if err := protojson.Unmarshal(call.Send[0], request); err != nil {
			return nil, nil, err
		}
		response, err := greeter.Hello(ctx, request)
		if err != nil {
			return nil, nil, err
		}
		received, err := asJSON(nil, response)
		return received, nil, err
	case "Count":
		request := &CountRequest{}
		if err := protojson.Unmarshal(call.Send[0], request); err != nil {
			return nil, nil, err
		}
		stream, err := greeter.Count(ctx, request)
		if err != nil {
			return nil, nil, err
		}
		call.Send = nil
		return converse(stream, call, nil, func() proto.Message { return &CountResponse{} })
	case "Sum":
		stream, err := greeter.Sum(ctx)
		if err != nil {
			return nil, nil, err
		}
		message := func() proto.Message { return &CountResponse{} }
		return converse(stream, call, message, message)
	case "Chat":
		stream, err := greeter.Chat(ctx)
		if err != nil {
			return nil, nil, err
		}
		message := func() proto.Message { return &ChatMessage{} }
		return converse(stream, call, message, message)
	default:
		return nil, nil, fmt.Errorf("the greeter has no method %s", call.Method)
	}
}

// converse sends every message, then receives as many as are wanted, then closes the stream.
func converse(
	stream conversation, call peer.GeneratedCall, request func() proto.Message, response func() proto.Message,
) (received []json.RawMessage, closeSend error, err error) {
	defer stream.Close()
	for _, body := range call.Send {
		message := request()
		if err := protojson.Unmarshal(body, message); err != nil {
			return nil, nil, err
		}
		if err := stream.SendMsg(message); err != nil {
			return nil, nil, err
		}
	}
	if call.CloseSend {
		closeSend = stream.CloseSend()
	}
	for len(received) != call.Receive {
		message := response()
		err := stream.RecvMsg(message)
		if err == io.EOF && call.Receive < 0 {
			return received, closeSend, nil
		}
		if err != nil {
			return received, closeSend, err
		}
		if received, err = asJSON(received, message); err != nil {
			return received, closeSend, err
		}
	}
	return received, closeSend, nil
}

func asJSON(before []json.RawMessage, message proto.Message) ([]json.RawMessage, error) {
	text, err := protojson.Marshal(message)
	return append(before, text), err
}
