package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	micro "go-micro.dev/v5"
	"go-micro.dev/v5/broker"
	natsbroker "go-micro.dev/v5/broker/nats"
	"go-micro.dev/v5/client"
	"go-micro.dev/v5/registry"
	natsregistry "go-micro.dev/v5/registry/nats"
	"go-micro.dev/v5/transport"
	natstransport "go-micro.dev/v5/transport/nats"
)

// Sample is 128 bytes as JSON; see sample.ts.
type Sample struct {
	Number int    `json:"number"`
	Text   string `json:"text"`
}

const firstNumber = 1_000_000
const numbers = 9_000_000

var text = strings.Repeat("x", 100)

func next(number int) int { return firstNumber + (number+1-firstNumber)%numbers }

// Bench is the service.
type Bench struct{}

func (Bench) Echo(_ context.Context, request *Sample, response *Sample) error {
	response.Number = next(request.Number)
	response.Text = request.Text
	return nil
}

type meeting struct {
	Address string `json:"address"`
	Name    string `json:"name"`
}

// half is the client or the server of the contender.
type half struct {
	name    string
	service micro.Service
}

func newService(place meeting, name string, more ...micro.Option) micro.Service {
	options := []micro.Option{
		// First: the options below are also for the client.
		micro.Client(client.NewClient(client.ContentType("application/json"))),
		micro.Registry(natsregistry.NewNatsRegistry(registry.Addrs(place.Address))),
		micro.Broker(natsbroker.NewNatsBroker(broker.Addrs(place.Address))),
		micro.Transport(natstransport.NewTransport(transport.Addrs(place.Address))),
		micro.Name(name),
		micro.Version("1.0.0"),
		micro.HandleSignal(false),
	}
	return micro.NewService(append(options, more...)...)
}

func (h *half) serve(parameters json.RawMessage) (any, error) {
	var place meeting
	if err := json.Unmarshal(parameters, &place); err != nil {
		return nil, err
	}
	started := make(chan error, 2)
	h.service = newService(place, place.Name, micro.AfterStart(func() error {
		started <- nil
		return nil
	}))
	if err := micro.RegisterHandler(h.service.Server(), &Bench{}); err != nil {
		return nil, err
	}
	go func() { started <- h.service.Run() }()
	return nil, <-started
}

func (h *half) connect(parameters json.RawMessage) (any, error) {
	var place meeting
	if err := json.Unmarshal(parameters, &place); err != nil {
		return nil, err
	}
	h.name = place.Name
	h.service = newService(place, place.Name+".client")
	return nil, nil
}

func (h *half) firstCall(parameters json.RawMessage) (any, error) {
	began := time.Now()
	if _, err := h.connect(parameters); err != nil {
		return nil, err
	}
	if err := h.call(0); err != nil {
		return nil, err
	}
	return milliseconds(time.Since(began)), nil
}

func (h *half) call(serial int) error {
	request := Sample{Number: firstNumber + serial%numbers, Text: text}
	var response Sample
	caller := h.service.Client()
	if err := caller.Call(context.Background(), caller.NewRequest(h.name, "Bench.Echo", &request), &response); err != nil {
		return err
	}
	if response.Number != next(request.Number) || response.Text != request.Text {
		return fmt.Errorf("wrong answer to %d: %v", request.Number, response)
	}
	return nil
}

type callPlan struct {
	InFlight     int  `json:"inFlight"`
	Calls        int  `json:"calls"`
	DurationMs   int  `json:"durationMs"`
	HasLatencies bool `json:"hasLatencies"`
}

type callResult struct {
	Calls     int      `json:"calls"`
	ElapsedMs float64  `json:"elapsedMs"`
	CPUMs     float64  `json:"cpuMs"`
	P50Ms     *float64 `json:"p50Ms,omitempty"`
	P99Ms     *float64 `json:"p99Ms,omitempty"`
}

func (h *half) calls(parameters json.RawMessage) (any, error) {
	var plan callPlan
	if err := json.Unmarshal(parameters, &plan); err != nil {
		return nil, err
	}
	var taken, made atomic.Int64
	var isOver atomic.Bool
	if plan.DurationMs > 0 {
		time.AfterFunc(time.Duration(plan.DurationMs)*time.Millisecond, func() { isOver.Store(true) })
	}
	latencies := make([][]float64, plan.InFlight)
	failures := make(chan error, plan.InFlight)
	cpuBefore := cpuMs()
	began := time.Now()
	var working sync.WaitGroup
	for worker := range plan.InFlight {
		working.Add(1)
		go func() {
			defer working.Done()
			for !isOver.Load() {
				serial := taken.Add(1) - 1
				if plan.Calls > 0 && serial >= int64(plan.Calls) {
					return
				}
				callBegan := time.Now()
				if err := h.call(int(serial)); err != nil {
					failures <- err
					return
				}
				if plan.HasLatencies {
					latencies[worker] = append(latencies[worker], milliseconds(time.Since(callBegan)))
				}
				made.Add(1)
			}
		}()
	}
	working.Wait()
	result := callResult{Calls: int(made.Load()), ElapsedMs: milliseconds(time.Since(began)), CPUMs: cpuMs() - cpuBefore}
	select {
	case err := <-failures:
		return nil, err
	default:
	}
	if plan.HasLatencies {
		result.P50Ms, result.P99Ms = quantiles(latencies)
	}
	return result, nil
}

func quantiles(latencies [][]float64) (p50 *float64, p99 *float64) {
	all := []float64{}
	for _, own := range latencies {
		all = append(all, own...)
	}
	if len(all) == 0 {
		return nil, nil
	}
	sort.Float64s(all)
	return &all[(len(all)-1)/2], &all[(len(all)-1)*99/100]
}

func (h *half) close(json.RawMessage) (any, error) {
	if h.service == nil || h.name != "" {
		return nil, nil
	}
	return nil, h.service.Server().Stop()
}

func milliseconds(duration time.Duration) float64 { return float64(duration.Nanoseconds()) / 1e6 }
