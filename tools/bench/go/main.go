// Go Micro's own client and server over its NATS plugins: the same workload as every other contender.
//
// Run as "go-micro server" or "go-micro client" by the benchmark, whose commands it obeys.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"

	"go-micro.dev/v5/logger"
)

func main() {
	// What it says of itself does not belong into the report.
	log.SetOutput(io.Discard)
	_ = logger.Init(logger.WithLevel(logger.FatalLevel))
	half := &half{}
	commands := map[string]func(json.RawMessage) (any, error){
		"serve":     half.serve,
		"load":      nothing,
		"connect":   half.connect,
		"firstCall": half.firstCall,
		"calls":     half.calls,
		"cpu":       func(json.RawMessage) (any, error) { return cpuMs(), nil },
		"close":     half.close,
	}
	if err := obey(commands); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func nothing(json.RawMessage) (any, error) { return nil, nil }
