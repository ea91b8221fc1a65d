//go:build tools

// Package micro pins the command line of Go Micro, which the matrix builds and runs as an operator would.
package micro

import _ "go-micro.dev/v5/cmd/micro"
