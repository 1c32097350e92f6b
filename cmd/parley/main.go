// Command parley runs a chat node, makes tokens for it, and says its version.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"reflect"
	"strings"
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
	dropEmptyVariables()
	parser, err := kong.New(&commands, kong.Name("parley"), kong.Description("A clustered chat engine for web apps."),
		kong.UsageOnError(), kong.DefaultEnvars("PARLEY"), kong.BindTo(ctx, (*context.Context)(nil)), kong.NamedMapper("path", kong.MapperFunc(readPath)))
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

// dropEmptyVariables has an empty PARLEY_* variable, as templates of deployments
// leave them, count as one that is not set.
func dropEmptyVariables() {
	for _, v := range os.Environ() {
		if name, value, _ := strings.Cut(v, "="); value == "" && strings.HasPrefix(name, "PARLEY_") {
			_ = os.Unsetenv(name) // fails for no name that is there
		}
	}
}

// readPath reads a flag that names a file or folder. An empty one is as good as
// none, as for other flags: the parser's own makes it the working directory.
func readPath(ctx *kong.DecodeContext, target reflect.Value) error {
	var path string
	if err := ctx.Scan.PopValueInto("file", &path); err != nil || path == "" {
		return err
	}
	target.SetString(kong.ExpandPath(path))
	return nil
}
