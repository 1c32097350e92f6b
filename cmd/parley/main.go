// Command parley runs a chat node, makes tokens for it, and says its version.
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
	Dev     devCommand     `cmd:"" help:"Run a node on this machine with demo users and a chat page, to try and to develop against."`
	Serve   serveCommand   `cmd:"" help:"Run a node for real."`
	Config  configCommand  `cmd:"" help:"Print the settings that serve would run with."`
	Token   tokenCommand   `cmd:"" help:"Make a token for a user and print it."`
	Status  statusCommand  `cmd:"" help:"Show the cluster: nodes, shards, moves."`
	Drain   drainCommand   `cmd:"" help:"Have a node give away what it serves and holds."`
	Node    nodeCommand    `cmd:"" help:"Change which nodes belong to the cluster."`
	Verify  verifyCommand  `cmd:"" help:"Check the data directory of a node that is down."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// usageError is what the caller typed wrong: exit code 2.
type usageError struct{ error }

// usagef makes a usageError.
func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

// run is main with an exit code: 0 done, 1 failed, 2 used wrongly, 3 status of a
// cluster that is not whole.
func run(ctx context.Context, args []string) int {
	parser, err := kong.New(&commands, kong.Name("parley"), kong.Description("A clustered chat engine for web apps."),
		kong.UsageOnError(), kong.DefaultEnvars("PARLEY"), kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		panic(err) // the struct above is wrong
	}
	call, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "parley: %v\nRun \"parley --help\" for the commands and their flags.\n", err)
		return 2
	}
	if err := call.Run(); err != nil {
		fmt.Fprintf(os.Stderr, "parley: %v\n", err)
		switch {
		case errors.As(err, &usageError{}):
			return 2
		case errors.Is(err, errDegraded):
			return 3
		}
		return 1
	}
	return 0
}
