// Command parley-chaos proves Parley's promises under faults: it runs a cluster
// of real processes, lets users talk and nodes fail, and checks what happened.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/parley-im/parley/chaos/fault"
)

var commands struct {
	Run      runCommand      `cmd:"" help:"Make one run and judge it."`
	Check    checkCommand    `cmd:"" help:"Judge the history of a run again."`
	Campaign campaignCommand `cmd:"" help:"Make runs with one seed after the other and keep a ledger."`
	Ledger   ledgerCommand   `cmd:"" help:"Sum a ledger up."`
}

// Exit codes.
const (
	exitBroken      = 1 // a promise was seen broken, or the tool failed
	exitUsage       = 2
	exitIneffective = 3 // a fault did not take effect
)

// exit is an error with an exit code.
type exit struct {
	code int
	error
}

// usagef makes an error of the caller's.
func usagef(format string, args ...any) error { return exit{exitUsage, fmt.Errorf(format, args...)} }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parser, err := kong.New(&commands, kong.Name("parley-chaos"), kong.Description("Proves Parley's promises under faults."), kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Vars{"faults": strings.Join(fault.Names(fault.Kinds), ", ")})
	if err != nil {
		panic(err) // the struct above is wrong
	}
	call, err := parser.Parse(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "parley-chaos: %v\nRun \"parley-chaos --help\" for the commands and their flags.\n", err)
		os.Exit(exitUsage)
	}
	if err := call.Run(); err != nil {
		fmt.Fprintf(os.Stderr, "parley-chaos: %v\n", err)
		code := exit{code: exitBroken}
		errors.As(err, &code)
		os.Exit(code.code)
	}
}
