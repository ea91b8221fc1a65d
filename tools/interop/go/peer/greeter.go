package peer

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"time"
)

// The bodies of the greeter.
type (
	HelloRequest struct {
		Name string `json:"name"`
	}
	HelloResponse struct {
		Msg string `json:"msg"`
	}
	Empty          struct{}
	WhoAmIResponse struct {
		ID  string `json:"id"`
		Pid int    `json:"pid"`
	}
	ContextResponse struct {
		Metadata    map[string]string `json:"metadata"`
		RemainingMs int64             `json:"remainingMs"`
	}
	SleepMessage struct {
		Ms int `json:"ms"`
	}
	FailRequest struct {
		Code   int32  `json:"code"`
		Detail string `json:"detail"`
	}
	CountRequest struct {
		To int `json:"to"`
	}
	CountResponse struct {
		Value int `json:"value"`
	}
	// NamedError is an error with a name and data, as the definitions of ts-micro have them, in the form of Go Micro's own.
	NamedError struct {
		ID     string         `json:"id"`
		Code   int32          `json:"code"`
		Detail string         `json:"detail"`
		Status string         `json:"status"`
		Name   string         `json:"name"`
		Data   map[string]any `json:"data"`
	}
	TextMessage struct {
		Text string `json:"text"`
	}
	// Everything has a field of each kind that Go's JSON has a form for.
	Everything struct {
		Big      int64             `json:"big"`
		Unsigned uint64            `json:"unsigned"`
		Count    int               `json:"count"`
		Ratio    float64           `json:"ratio"`
		On       bool              `json:"on"`
		Bytes    []byte            `json:"bytes"`
		At       time.Time         `json:"at"`
		Took     time.Duration     `json:"took"`
		Labels   map[string]string `json:"labels"`
		Texts    []string          `json:"texts"`
		Items    []Item            `json:"items"`
		Home     *Place            `json:"home"`
		First    Item              `json:"first"`
	}
	Item struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	Place struct {
		Street string `json:"street"`
		Parent *Place `json:"parent"`
	}
)

// Unary is the part of the greeter that needs nothing of Go Micro; generations embed it in their handler.
type Unary struct {
	ID string
}

// Echo answers any JSON with itself.
func (u *Unary) Echo(_ context.Context, request *json.RawMessage, response *json.RawMessage) error {
	*response = append(json.RawMessage(nil), *request...)
	return nil
}

// Types answers its request.
func (u *Unary) Types(_ context.Context, request *Everything, response *Everything) error {
	*response = *request
	return nil
}

func (e *NamedError) Error() string {
	text, _ := json.Marshal(e)
	return string(text)
}

// Refuse fails with an error that has a name.
func (u *Unary) Refuse(_ context.Context, _ *HelloRequest, _ *HelloResponse) error {
	return TooLong(20)
}

// TooLong is the error for a name that is longer than limit.
func TooLong(limit int) error {
	return &NamedError{"greeter", 400, "name too long", "Bad Request", "name_too_long", map[string]any{"limit": limit}}
}

// WhoAmI tells which node and which process answered.
func (u *Unary) WhoAmI(_ context.Context, _ *Empty, response *WhoAmIResponse) error {
	response.ID = u.ID
	response.Pid = os.Getpid()
	return nil
}

// Sleep answers after the given time, or with the context's error if that comes first.
func (u *Unary) Sleep(ctx context.Context, request *SleepMessage, response *SleepMessage) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(request.Ms) * time.Millisecond):
		response.Ms = request.Ms
		return nil
	}
}

// Crash panics.
func (u *Unary) Crash(_ context.Context, _ *Empty, _ *Empty) error {
	panic("the greeter crashed on demand")
}

// Remaining is the time until the context's deadline in milliseconds, or -1 without one.
func Remaining(ctx context.Context) int64 {
	deadline, ok := ctx.Deadline()
	if !ok {
		return -1
	}
	return time.Until(deadline).Milliseconds()
}

// Pace is the pause that mostly keeps Go Micro's server from overwriting a stream message that it has not sent yet.
const Pace = 5 * time.Millisecond

// Greeting is what Hello answers.
func Greeting(name string) string {
	return "Hello " + name
}

// Shout is what Chat answers.
func Shout(text string) string {
	return strings.ToUpper(text)
}
