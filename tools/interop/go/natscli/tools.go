//go:build tools

// Package natscli pins the command line of NATS, which the matrix builds and runs as an operator would.
package natscli

import _ "github.com/nats-io/natscli/nats"
