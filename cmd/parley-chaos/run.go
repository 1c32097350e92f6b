package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/parley-im/parley/chaos/campaign"
	"github.com/parley-im/parley/chaos/check"
	"github.com/parley-im/parley/chaos/fault"
	"github.com/parley-im/parley/chaos/fleet"
	"github.com/parley-im/parley/chaos/history"
)

// runFlags say what a run is, but for its seed.
type runFlags struct {
	Duration time.Duration `default:"60s" help:"How long users talk, at least 15s; starting and checking come on top."`
	Faults   string        `default:"all" help:"Faults with commas between, or all, or none; all leaves out what is not possible here. There are ${faults}." placeholder:"LIST"`
	Parley   string        `default:"parley" help:"The parley program; the clock of one built with -tags failpoint can be put off." placeholder:"FILE"`
	Base     string        `help:"An older parley that nodes begin with, for the fault upgrade." placeholder:"FILE"`
	Shards   int           `default:"32" help:"Shards of the cluster."`
	Rate     int           `default:"300" help:"Messages a second, about."`
	Slow     int           `default:"1" help:"How many times as long as promised deliveries and outages may take: for machines that have much else to do."`
	Revision string        `help:"What the program was built from, for the records; else what it says itself."`
	Loopback bool          `help:"Use no network namespaces and no file systems of the nodes' own, also as root; nodes then talk through proxies, so that they can be cut apart."`
}

type runCommand struct {
	runFlags
	Nodes  int    `default:"3" help:"How many nodes: 3 or more."`
	Seed   uint64 `default:"1" help:"What is done follows from it."`
	Report string `default:"chaos-report" help:"Directory for history.jsonl, report.html, verdict.json and the nodes' logs; emptied first." placeholder:"DIR" type:"path"`
	JSON   bool   `name:"json" help:"Print nothing but one line of JSON, at the end."`
}

// Run makes the run. Exit codes: 0 nothing was wrong, 1 a promise was broken, 2
// used wrongly, 3 a fault did not take effect.
func (c *runCommand) Run(ctx context.Context) error {
	out := io.Writer(os.Stdout)
	if c.JSON {
		out = io.Discard
	}
	o, err := c.options(out)
	if err != nil {
		return err
	}
	if o, err = c.with(o, c.Nodes, c.Seed); err != nil {
		return err
	}
	o.Dir = c.Report
	line, result, err := once(ctx, o)
	if err != nil {
		return err
	}
	if err := result.Verdict.Print(out); err != nil {
		return err
	}
	fmt.Fprintf(out, "the report: %s\n", filepath.Join(o.Dir, "report.html"))
	if c.JSON {
		if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
			return err
		}
	}
	return outcome(result)
}

// once makes a run in an empty directory.
func once(ctx context.Context, o campaign.Options) (campaign.Line, campaign.Result, error) {
	if err := empty(o.Dir); err != nil {
		return campaign.Line{}, campaign.Result{}, err
	}
	begun := time.Now()
	result, err := campaign.Run(ctx, o)
	if err != nil {
		return campaign.Line{}, result, err
	}
	return result.Sum(o, time.Since(begun)), result, nil
}

// outcome is what a run exits with.
func outcome(r campaign.Result) error {
	switch {
	case r.Stuck != nil:
		return fmt.Errorf("something did not come back: %w", r.Stuck)
	case !r.Verdict.OK():
		return fmt.Errorf("%d violations", r.Verdict.Violations())
	case !r.Effective():
		return exit{exitIneffective, fmt.Errorf("%d faults did not take effect", r.Verdict.Ineffective())}
	}
	return nil
}

// marker is in every report directory, so that no other is ever emptied.
const marker = "parley-chaos"

// empty makes the directory, or empties that of an earlier run.
func empty(dir string) error {
	if all, err := os.ReadDir(dir); err == nil && len(all) > 0 {
		if _, err := os.Stat(filepath.Join(dir, marker)); err != nil {
			return usagef("%s holds something else than the report of a run", dir)
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, marker), nil, 0o644)
}

// options checks the flags.
func (f *runFlags) options(out io.Writer) (o campaign.Options, err error) {
	if f.Duration < 15*time.Second || f.Rate < 1 || f.Shards < 1 || f.Slow < 1 {
		return o, usagef("--duration must be 15s or more, --rate, --shards and --slow above 0")
	}
	binary, err := program(f.Parley)
	if err != nil {
		return o, usagef("--parley: %w", err)
	}
	base := ""
	if f.Base != "" {
		if base, err = program(f.Base); err != nil {
			return o, usagef("--base: %w", err)
		}
	}
	o = campaign.Options{
		Duration: f.Duration, Binary: binary, Base: base, Shards: f.Shards, Rate: f.Rate, Slow: f.Slow, Progress: out, Revision: cmp.Or(f.Revision, revision(binary)),
	}
	here := fleet.Able(binary)
	here.Base = base != ""
	if f.Loopback {
		here.Netns, here.Delay, here.Disks = false, false, false
	}
	o.Netns, o.Proxies, o.Disks = here.Netns, here.Proxies, here.Disks
	chosen, err := fault.Parse(f.Faults)
	if err != nil {
		return o, exit{exitUsage, err}
	}
	for _, k := range chosen {
		switch err := k.Possible(here); {
		case err == nil:
			o.Faults = append(o.Faults, k)
		case f.Faults == "all":
			fmt.Fprintf(out, "left out: %v\n", err)
		default:
			return o, exit{exitIneffective, err}
		}
	}
	return o, nil
}

// program is the whole name of a program's file.
func program(name string) (string, error) {
	file, err := exec.LookPath(name)
	if err != nil {
		return "", err
	}
	return filepath.Abs(file)
}

// with completes the options of one run, with the command line that makes it
// again.
func (f *runFlags) with(o campaign.Options, nodes int, seed uint64) (campaign.Options, error) {
	if nodes < 3 {
		return o, usagef("--nodes must be 3 or more")
	}
	o.Nodes, o.Seed = nodes, seed
	o.Command = fmt.Sprintf("parley-chaos run --seed %d --nodes %d --duration %v --faults %s --shards %d --rate %d", seed, nodes, f.Duration, f.Faults, f.Shards, f.Rate)
	if f.Slow > 1 {
		o.Command += fmt.Sprintf(" --slow %d", f.Slow)
	}
	if f.Base != "" {
		o.Command += " --base " + f.Base
	}
	if f.Loopback {
		o.Command += " --loopback"
	}
	return o, nil
}

// revision is what the program says of itself.
func revision(binary string) string {
	out, err := exec.Command(binary, "version").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

type checkCommand struct {
	History string `arg:"" help:"history.jsonl of a run." type:"existingfile"`
}

// Run judges a history; exit codes as for run.
func (c *checkCommand) Run() error {
	file, err := os.Open(c.History)
	if err != nil {
		return err
	}
	defer file.Close()
	r, err := history.NewReader(file)
	if err != nil {
		return err
	}
	verdict, err := check.Run(r, campaign.Sample(r.Config.Seed))
	if err != nil {
		return err
	}
	if err := verdict.Print(os.Stdout); err != nil {
		return err
	}
	return outcome(campaign.Result{Verdict: verdict})
}

var errFound = errors.New("some runs were not clean; see the ledger")
