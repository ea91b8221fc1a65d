// Registers with, asks and watches Go Micro's etcd registry, and prints JSON lines; with the address of a nats-server
// besides, a greeter that is found there.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"go-micro.dev/v5/registry"
	"go-micro.dev/v5/registry/etcd"
)

type command struct {
	Op      string            `json:"op"`
	Name    string            `json:"name"`
	Service *registry.Service `json:"service"`
	TTLMs   int               `json:"ttlMs"`
}

func say(key string, value any) {
	line, _ := json.Marshal(map[string]any{key: value})
	fmt.Println(string(line))
}

func main() {
	if len(os.Args) > 2 {
		if err := serve(os.Args[1], os.Args[2]); err != nil {
			say("error", err.Error())
			os.Exit(1)
		}
		return
	}
	reg := etcd.NewEtcdRegistry(registry.Addrs(os.Args[1]))
	say("ready", reg.String())
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		var c command
		if err := json.Unmarshal(input.Bytes(), &c); err != nil {
			say("error", err.Error())
			continue
		}
		var err error
		switch c.Op {
		case "register":
			err = reg.Register(c.Service, registry.RegisterTTL(time.Duration(c.TTLMs)*time.Millisecond))
		case "deregister":
			err = reg.Deregister(c.Service)
		case "get":
			var services []*registry.Service
			if services, err = reg.GetService(c.Name); err == nil {
				say("services", services)
				continue
			}
		case "list":
			var services []*registry.Service
			if services, err = reg.ListServices(); err == nil {
				say("services", services)
				continue
			}
		case "watch":
			var watcher registry.Watcher
			if watcher, err = reg.Watch(); err == nil {
				go func() {
					for {
						result, err := watcher.Next()
						if err != nil {
							return
						}
						say("event", map[string]any{"action": result.Action, "service": result.Service})
					}
				}()
			}
		}
		if err != nil {
			say("error", err.Error())
		} else {
			say("done", c.Op)
		}
	}
}
