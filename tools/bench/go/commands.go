package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
)

type command struct {
	ID         *int            `json:"id"`
	Command    string          `json:"command"`
	Parameters json.RawMessage `json:"parameters"`
}

type reply struct {
	ID     int    `json:"id"`
	Result any    `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
}

// obey answers commands that come as lines of JSON on the channel that Node opens to its children, until Node is gone.
func obey(commands map[string]func(json.RawMessage) (any, error)) error {
	descriptor, err := strconv.Atoi(os.Getenv("NODE_CHANNEL_FD"))
	if err != nil {
		return fmt.Errorf("NODE_CHANNEL_FD: %w", err)
	}
	channel := os.NewFile(uintptr(descriptor), "channel")
	encoder := json.NewEncoder(channel)
	var writing sync.Mutex
	lines := bufio.NewScanner(channel)
	for lines.Scan() {
		var request command
		if json.Unmarshal(lines.Bytes(), &request) != nil || request.ID == nil {
			continue
		}
		go func() {
			answer := reply{ID: *request.ID}
			if run, known := commands[request.Command]; !known {
				answer.Error = "there is no command " + request.Command
			} else if result, err := run(request.Parameters); err != nil {
				answer.Error = err.Error()
			} else {
				answer.Result = result
			}
			writing.Lock()
			defer writing.Unlock()
			_ = encoder.Encode(answer)
		}()
	}
	return lines.Err()
}

// cpuMs is the CPU time this process has used so far.
func cpuMs() float64 {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6
}
