// Command parley-load tells what a deployment holds.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

var commands struct {
	Run     runCommand     `cmd:"" help:"Have users of an app talk through nodes that run, and measure it."`
	Compare compareCommand `cmd:"" help:"Print two results side by side."`
	Bench   benchCommand   `cmd:"" help:"Start a node in a temporary directory and measure it: memory of idle connections, latency at a fixed rate, throughput of a closed loop."`
	Part    partCommand    `cmd:"" hidden:""`
}

const exitUsage = 2

// usage is an error of the caller's.
type usage struct{ error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parser, err := kong.New(&commands, kong.Name("parley-load"), kong.Description("Tells what a Parley deployment holds."), kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		panic(err) // the struct above is wrong
	}
	call, err := parser.Parse(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "parley-load: %v\nRun \"parley-load --help\" for the commands and their flags.\n", err)
		os.Exit(exitUsage)
	}
	if err := call.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "parley-load:", err)
		if wrong := (usage{}); errors.As(err, &wrong) {
			os.Exit(exitUsage)
		}
		os.Exit(1)
	}
}
