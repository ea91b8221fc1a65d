package peer

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"time"
)

type streamStep struct {
	Send       json.RawMessage `json:"send"`
	Receive    int             `json:"receive"`
	ReceiveAll bool            `json:"receiveAll"`
	Close      bool            `json:"close"`
	WaitMs     int             `json:"waitMs"`
}

type command struct {
	Call
	ID          string            `json:"id"`
	Op          string            `json:"op"`
	Count       int               `json:"count"`
	Concurrency int               `json:"concurrency"`
	Bodies      []json.RawMessage `json:"bodies"`
	Steps       []streamStep      `json:"steps"`
	Topic       string            `json:"topic"`
	Queue       string            `json:"queue"`
	Header      map[string]string `json:"header"`
	Base64      string            `json:"base64"`
	Record      json.RawMessage   `json:"record"`
	Receive     bool              `json:"receive"`
	Method      string            `json:"method"`
	CloseSend   bool              `json:"closeSend"`
	Wanted      int               `json:"wanted"`
}

// runClient obeys JSON-line commands until the input ends; every command runs on its own and answers one line.
func runClient(client Client, in io.Reader, out *Lines) error {
	scanner := bufio.NewScanner(in)
	scanner.Buffer(make([]byte, 0, 64*1024), 16*1024*1024)
	var running sync.WaitGroup
	for scanner.Scan() {
		text := strings.TrimSpace(scanner.Text())
		if text == "" {
			continue
		}
		var c command
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			out.Write(map[string]any{"event": "unreadable", "error": err.Error()})
			continue
		}
		running.Add(1)
		go func() {
			defer running.Done()
			started := time.Now()
			answer, err := obey(client, c, out)
			if answer == nil {
				answer = map[string]any{}
			}
			answer["id"] = c.ID
			answer["op"] = c.Op
			answer["ok"] = err == nil
			answer["ms"] = time.Since(started).Milliseconds()
			if err != nil {
				answer["error"] = client.Parse(err)
			}
			out.Write(answer)
		}()
	}
	running.Wait()
	return scanner.Err()
}

func obey(client Client, c command, out *Lines) (map[string]any, error) {
	ctx := client.WithMetadata(context.Background(), c.Metadata)
	switch c.Op {
	case "call":
		body, err := client.Call(ctx, c.Call)
		return map[string]any{"body": body}, err
	case "callMany":
		return callMany(ctx, client, c), nil
	case "stream":
		return followStream(ctx, client, c)
	case "publish":
		return nil, repeat(c.Count, func() error { return client.Publish(ctx, c.Topic, c.ContentType, c.Body) })
	case "publishRaw":
		body, err := base64.StdEncoding.DecodeString(c.Base64)
		if err != nil {
			return nil, err
		}
		return nil, repeat(c.Count, func() error { return client.PublishRaw(c.Topic, c.Header, body) })
	case "subscribe":
		return nil, client.Subscribe(c.Topic, c.Queue, func(event Event) {
			out.Write(map[string]any{"event": "message", "subscription": c.ID, "message": event})
		})
	case "publishEvent", "consumeEvents":
		streams, ok := client.(EventStreams)
		if !ok {
			return nil, errors.New("this generation has no event streams")
		}
		if c.Op == "publishEvent" {
			return nil, repeat(c.Count, func() error { return streams.PublishEvent(c.Topic, c.Body, c.Metadata) })
		}
		return nil, streams.ConsumeEvents(c.Topic, c.Queue, func(event StreamEvent) {
			out.Write(map[string]any{"event": "stream event", "subscription": c.ID, "message": event})
		})
	case "generated":
		generated, ok := client.(GeneratedClient)
		if !ok {
			return nil, errors.New("this generation has no generated client")
		}
		received, closeSend, err := generated.CallGenerated(ctx, GeneratedCall{c.Service, c.Method, c.Bodies, c.CloseSend, c.Wanted})
		answer := map[string]any{"received": received}
		if closeSend != nil {
			answer["closeSend"] = closeSend.Error()
		}
		return answer, err
	case "get":
		services, err := client.GetService(c.Service)
		return map[string]any{"services": services}, err
	case "list":
		services, err := client.ListServices()
		return map[string]any{"services": services}, err
	case "watch":
		return nil, client.Watch(c.Service, func(action string, service any) {
			out.Write(map[string]any{"event": "registry", "watch": c.ID, "action": action, "service": service})
		})
	case "register":
		return nil, client.Register(c.Record)
	case "deregister":
		return nil, client.Deregister(c.Record)
	case "transport":
		body, err := base64.StdEncoding.DecodeString(c.Base64)
		if err != nil {
			return nil, err
		}
		header, answer, err := client.SendTransport(c.Address, c.Header, body, c.Receive)
		return map[string]any{"header": header, "base64": base64.StdEncoding.EncodeToString(answer)}, err
	default:
		return nil, errors.New("unknown op " + c.Op)
	}
}

func repeat(count int, once func() error) error {
	for i := 0; i < max(count, 1); i++ {
		if err := once(); err != nil {
			return err
		}
	}
	return nil
}

// callMany makes count calls, at most concurrency at a time, going round the given bodies, and tells how often each answer came
// and how often an answer was the request itself.
func callMany(ctx context.Context, client Client, c command) map[string]any {
	bodies := c.Bodies
	if len(bodies) == 0 {
		bodies = []json.RawMessage{c.Body}
	}
	var mutex sync.Mutex
	answers := map[string]int{}
	failures := map[string]int{}
	echoed := 0
	slots := make(chan struct{}, max(c.Concurrency, 1))
	var running sync.WaitGroup
	for i := 0; i < c.Count; i++ {
		slots <- struct{}{}
		running.Add(1)
		go func() {
			defer func() { <-slots; running.Done() }()
			call := c.Call
			call.Body = bodies[i%len(bodies)]
			body, err := client.Call(ctx, call)
			mutex.Lock()
			defer mutex.Unlock()
			if err != nil {
				failures[err.Error()]++
				return
			}
			text := strings.TrimSpace(string(body))
			answers[text]++
			if text == strings.TrimSpace(string(call.Body)) {
				echoed++
			}
		}()
	}
	running.Wait()
	return map[string]any{"answers": answers, "failures": failures, "echoed": echoed}
}

func followStream(ctx context.Context, client Client, c command) (map[string]any, error) {
	received := []json.RawMessage{}
	answer := map[string]any{"end": "open"}
	stream, err := client.Stream(ctx, c.Call)
	if err != nil {
		return answer, err
	}
	closed := false
	defer func() {
		if !closed {
			_ = stream.Close()
		}
	}()
	for _, step := range c.Steps {
		if step.WaitMs > 0 {
			time.Sleep(time.Duration(step.WaitMs) * time.Millisecond)
		}
		if step.Send != nil {
			if err = stream.Send(step.Send); err != nil {
				answer["end"] = "send failed"
				break
			}
		}
		for n := 0; err == nil && (n < step.Receive || step.ReceiveAll); n++ {
			var body json.RawMessage
			if body, err = stream.Receive(); err == nil {
				received = append(received, body)
			}
		}
		if err != nil {
			break
		}
		if step.Close {
			closed = true
			if err = stream.Close(); err != nil {
				break
			}
		}
	}
	answer["received"] = received
	if errors.Is(err, io.EOF) {
		answer["end"] = "eof"
		return answer, nil
	}
	if err != nil {
		answer["end"] = "error"
	}
	return answer, err
}
