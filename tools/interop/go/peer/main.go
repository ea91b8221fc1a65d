package peer

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
)

const usage = `usage: peer <command> [flags]

  server      runs the greeter                       --nats --name --version --id --address --metadata k=v,... --interval --empty --generated --trace
  client      obeys JSON-line commands on stdin      --nats --content-type --registry-timeout
  publisher   publishes events                       --nats --topic --body --count --raw
  subscriber  prints events                          --nats --topic --queue
  registry    get NAME | list | watch [NAME]         --nats
  versions    prints what this program was built of

Every command prints JSON lines. With --until-eof, server, subscriber and watch end when stdin does.`

// Main runs one command of the program.
func Main(generation Generation) {
	out := NewLines(os.Stdout)
	if err := run(generation, os.Args[1:], out); err != nil {
		out.Write(map[string]any{"event": "failed", "error": err.Error()})
		os.Exit(1)
	}
}

func run(generation Generation, arguments []string, out *Lines) error {
	if len(arguments) == 0 {
		return errors.New(usage)
	}
	name, arguments := arguments[0], arguments[1:]
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	nats := flags.String("nats", "127.0.0.1:4222", "host:port of the NATS server")
	service := flags.String("name", "greeter", "service name")
	version := flags.String("version", "1.0.0", "service version")
	id := flags.String("id", "", "node id without the service name; default a random one")
	address := flags.String("address", "", "subject to listen on; default a random one")
	metadata := flags.String("metadata", "", "node metadata, key=value,...")
	interval := flags.Int("interval", 30_000, "heartbeat interval in milliseconds")
	contentType := flags.String("content-type", "application/json", "content type of requests and events")
	registryTimeout := flags.Int("registry-timeout", 0, "registry query timeout in milliseconds; default Go Micro's own")
	empty := flags.Bool("empty", false, "serve no handler and no subscriber")
	generated := flags.Bool("generated", false, "serve the greeter generated from the .proto file")
	trace := flags.Bool("trace", false, "write every span, by the OpenTelemetry wrapper")
	topic := flags.String("topic", "", "topic")
	queue := flags.String("queue", "", "queue")
	body := flags.String("body", "{}", "JSON body")
	count := flags.Int("count", 1, "how many")
	raw := flags.Bool("raw", false, "publish through the broker, without headers")
	untilEOF := flags.Bool("until-eof", false, "end when stdin ends")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	connect := func() (Client, error) { return generation.Connect(*nats, *contentType, *registryTimeout) }

	switch name {
	case "versions":
		out.Write(versions())
		return nil
	case "server":
		if *untilEOF {
			go terminateAtEOF()
		}
		return generation.Serve(*nats, ServerOptions{
			Name: *service, Version: *version, ID: *id, Address: *address, Metadata: pairs(*metadata), IntervalMs: *interval, Empty: *empty, Generated: *generated, Trace: *trace,
		}, out)
	case "client":
		client, err := connect()
		if err != nil {
			return err
		}
		out.Write(map[string]any{"event": "ready"})
		return runClient(client, os.Stdin, out)
	case "publisher":
		client, err := connect()
		if err != nil {
			return err
		}
		op := "publish"
		if *raw {
			op = "publishRaw"
		}
		line, err := json.Marshal(map[string]any{
			"op": op, "topic": *topic, "body": json.RawMessage(*body), "base64": []byte(*body), "count": *count,
		})
		if err != nil {
			return err
		}
		return runClient(client, strings.NewReader(string(line)), out)
	case "subscriber":
		client, err := connect()
		if err != nil {
			return err
		}
		err = client.Subscribe(*topic, *queue, func(event Event) {
			out.Write(map[string]any{"event": "message", "message": event})
		})
		if err != nil {
			return err
		}
		out.Write(map[string]any{"event": "ready"})
		untilToldToStop(*untilEOF)
		return nil
	case "registry":
		client, err := connect()
		if err != nil {
			return err
		}
		return registry(client, flags.Args(), *untilEOF, out)
	default:
		return fmt.Errorf("unknown command %s\n%s", name, usage)
	}
}

func registry(client Client, arguments []string, untilEOF bool, out *Lines) error {
	verb, name := "list", ""
	if len(arguments) > 0 {
		verb = arguments[0]
	}
	if len(arguments) > 1 {
		name = arguments[1]
	}
	switch verb {
	case "get":
		services, err := client.GetService(name)
		out.Write(map[string]any{"event": "services", "services": services})
		return err
	case "list":
		services, err := client.ListServices()
		out.Write(map[string]any{"event": "services", "services": services})
		return err
	case "watch":
		err := client.Watch(name, func(action string, service any) {
			out.Write(map[string]any{"event": "registry", "action": action, "service": service})
		})
		if err != nil {
			return err
		}
		out.Write(map[string]any{"event": "ready"})
		untilToldToStop(untilEOF)
		return nil
	default:
		return errors.New("unknown registry command " + verb)
	}
}

func versions() map[string]any {
	modules := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if strings.Contains(module.Path, "micro") && !strings.HasPrefix(module.Path, "ts-micro.example") || strings.HasSuffix(module.Path, "nats.go") {
				modules[module.Path] = module.Version
			}
		}
	}
	return map[string]any{"event": "versions", "go": runtime.Version(), "modules": modules}
}

func pairs(text string) map[string]string {
	result := map[string]string{}
	for _, pair := range strings.Split(text, ",") {
		if key, value, ok := strings.Cut(pair, "="); ok {
			result[key] = value
		}
	}
	return result
}

func terminateAtEOF() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
}

func untilToldToStop(untilEOF bool) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	if untilEOF {
		go terminateAtEOF()
	}
	<-signals
}
