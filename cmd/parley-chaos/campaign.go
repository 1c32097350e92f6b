package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/parley-im/parley/chaos/campaign"
)

type campaignCommand struct {
	runFlags
	Nodes  []int         `default:"3,5" help:"How many nodes: 3 or more. Of several numbers, seeds take turns." placeholder:"N,…"`
	Runs   int           `help:"How many runs; 0 is until --for ends."`
	For    time.Duration `help:"How long; 0 is until --runs are made."`
	First  uint64        `default:"1" help:"The first seed."`
	Ledger string        `default:"chaos-ledger.jsonl" help:"File that gets a line for each run. Seeds that it has for this revision and these options are not run again." placeholder:"FILE" type:"path"`
	Keep   string        `default:"chaos-findings" help:"Directory for the reports of runs that were not clean." placeholder:"DIR" type:"path"`
}

// Run makes runs until enough were made. Exit codes as for run.
func (c *campaignCommand) Run(ctx context.Context) error {
	if c.Runs <= 0 && c.For <= 0 {
		return usagef("--runs or --for must be given")
	}
	base, err := c.options(os.Stdout)
	if err != nil {
		return err
	}
	ledger, err := campaign.OpenLedger(c.Ledger)
	if err != nil {
		return err
	}
	defer ledger.Close()
	begun, made, bad := time.Now(), 0, 0
	for seed := c.First; ctx.Err() == nil && (c.Runs == 0 || made < c.Runs) && (c.For == 0 || time.Since(begun) < c.For); seed++ {
		o, err := c.with(base, c.Nodes[seed%uint64(len(c.Nodes))], seed)
		if err != nil {
			return err
		}
		o.Dir = filepath.Join(c.Keep, fmt.Sprintf("seed-%d", seed))
		if ledger.Has(o) {
			if c.For == 0 {
				made++
			}
			continue
		}
		clean, err := c.one(ctx, o, ledger)
		if err != nil {
			return err
		}
		if made++; !clean {
			bad++
		}
	}
	fmt.Printf("%d runs, %d not clean\n", made, bad)
	if bad > 0 {
		return errFound
	}
	return ctx.Err()
}

// one makes a run, and keeps its report if it was not clean.
func (c *campaignCommand) one(ctx context.Context, o campaign.Options, ledger *campaign.Ledger) (clean bool, err error) {
	line, result, err := once(ctx, o)
	if err != nil {
		return false, fmt.Errorf("seed %d: %w", o.Seed, err)
	}
	if err := ledger.Add(line); err != nil {
		return false, err
	}
	if verdict := outcome(result); verdict != nil {
		fmt.Printf("seed %d: %v; kept in %s\n", o.Seed, verdict, o.Dir)
		return false, nil
	}
	fmt.Printf("seed %d: clean, %d acknowledged, %d faults\n", o.Seed, line.Acked, line.Faults)
	return true, os.RemoveAll(o.Dir)
}

type ledgerCommand struct {
	File string `arg:"" help:"A campaign's ledger." type:"existingfile"`
}

// Run prints the ledger's totals.
func (c *ledgerCommand) Run() error {
	ledger, err := campaign.OpenLedger(c.File)
	if err != nil {
		return err
	}
	defer ledger.Close()
	return ledger.Print(os.Stdout)
}
