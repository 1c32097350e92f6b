// Package campaign makes chaos runs: it starts a cluster of real processes, has
// users talk and faults happen, heals, collects every replica's log, and has the
// history judged. A campaign is many runs with a ledger. parley-chaos calls it;
// all of it blocks.
package campaign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/parley-im/parley/chaos/check"
	"github.com/parley-im/parley/chaos/fault"
	"github.com/parley-im/parley/chaos/fleet"
	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chaos/hostile"
	"github.com/parley-im/parley/chaos/workload"
)

// Options say what a run is. All but Progress are needed.
type Options struct {
	Nodes    int // 3 or more
	Duration time.Duration
	Faults   []fault.Kind
	Seed     uint64
	// Dir gets history.jsonl, report.html, verdict.json and the nodes' logs.
	Dir      string
	Binary   string // parley
	Base     string // what nodes begin with; empty: Binary
	Revision string
	Command  string // runs it again
	Shards   int
	Rate     int // messages a second
	Slow     int // how many times as long as promised the checker waits
	// Netns and Disks give nodes network namespaces and file systems of their own,
	// Proxies has them talk through proxies if they have no namespaces.
	Netns, Proxies, Disks bool
	Progress              io.Writer // nil: nobody looks
}

// What the checker takes as promised, and what the run allows for.
const (
	deliverWithin   = 10 * time.Second
	availableWithin = 5 * time.Second
	startTime       = 60 * time.Second
	wholeTime       = 60 * time.Second
	calmTime        = availableWithin + 2*time.Second
	auditTime       = 5 * time.Minute
	stuckTime       = 20 * time.Second
	stopTime        = 15 * time.Second
)

// Result is what a run came to.
type Result struct {
	Verdict *check.Verdict
	// Stuck says what did not come back after a fault, nil if all did. It counts as
	// a violation.
	Stuck error
}

// OK says that nothing was wrong; Effective that all faults took effect.
func (r Result) OK() bool { return r.Stuck == nil && r.Verdict.OK() }

// Effective says whether all faults took effect.
func (r Result) Effective() bool { return r.Verdict.Ineffective() == 0 }

// run is one run under way.
type run struct {
	o       Options
	fleet   *fleet.Fleet
	faults  *fault.Env
	history *history.Writer
	users   *workload.Workload
	stuck   error
	begun   time.Time

	mu  sync.Mutex
	now string // what is happening, for the progress; guards users too
}

// Run makes a run. Errors are those of the machine and of the tool, and ctx's;
// what is wrong with the cluster is in the result.
func Run(ctx context.Context, o Options) (result Result, err error) {
	r := &run{o: o, begun: time.Now()}
	if err := os.MkdirAll(filepath.Join(o.Dir, "nodes"), 0o755); err != nil {
		return Result{}, err
	}
	r.fleet = fleet.New(fleet.Options{
		Binary: cmp.Or(o.Base, o.Binary), Dir: filepath.Join(o.Dir, "nodes"), Apps: appFlags(), Shards: o.Shards, Expect: o.Nodes, Netns: o.Netns, Proxies: o.Proxies && !o.Netns, Disks: o.Disks,
	})
	defer func() { err = errors.Join(err, r.fleet.Close()) }()
	file, err := os.Create(r.historyFile())
	if err != nil {
		return Result{}, err
	}
	defer r.watch()()
	if err := r.start(ctx); err != nil {
		return Result{}, errors.Join(err, file.Close())
	}
	r.history = history.NewWriter(file, r.config())
	err = r.talk(ctx)
	if closed := r.history.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return Result{}, err
	}
	verdict, err := r.judge()
	return Result{Verdict: verdict, Stuck: r.stuck}, err
}

func (r *run) historyFile() string { return filepath.Join(r.o.Dir, "history.jsonl") }

// apps are two tenants.
var apps = []workload.App{{ID: 7, Secret: "0123456789abcdef0123456789abcdef"}, {ID: 8, Secret: "fedcba9876543210fedcba9876543210"}}

func appFlags() (flags []string) {
	for _, a := range apps {
		flags = append(flags, fmt.Sprintf("%d:%s", a.ID, a.Secret))
	}
	return flags
}

// slow is a promised time on this machine.
func (r *run) slow(d time.Duration) time.Duration { return d * time.Duration(r.o.Slow) }

func (r *run) config() history.Config {
	c := history.Config{
		Seed: r.o.Seed, Revision: r.o.Revision, Command: r.o.Command,
		DeliverWithin: int64(r.slow(deliverWithin)), AvailableWithin: int64(r.slow(availableWithin)),
		Options: map[string]string{
			"nodes": strconv.Itoa(r.o.Nodes), "duration": r.o.Duration.String(), "shards": strconv.Itoa(r.o.Shards), "rate": strconv.Itoa(r.o.Rate), "slow": strconv.Itoa(r.o.Slow),
			"namespaces": strconv.FormatBool(r.o.Netns), "proxies": strconv.FormatBool(r.o.Proxies && !r.o.Netns), "disks": strconv.FormatBool(r.o.Disks), "faults": fmt.Sprint(fault.Names(r.o.Faults)),
		},
	}
	for _, n := range r.fleet.Nodes() {
		c.Nodes = append(c.Nodes, n.Name)
	}
	return c
}

// start brings the cluster up.
func (r *run) start(ctx context.Context) error {
	r.say("starting %d nodes", r.o.Nodes)
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	if err := r.fleet.Begin(ctx, r.o.Nodes); err != nil {
		return err
	}
	return r.fleet.AwaitWhole(ctx, 0)
}

// talk has users talk through all faults, and collects what there is to know.
func (r *run) talk(ctx context.Context) error {
	begin, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	r.say("registering users")
	users, err := workload.Start(begin, workload.Options{Seed: r.o.Seed, Apps: apps, History: r.history, Servers: r.servers, Rate: r.o.Rate})
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.users = users
	r.mu.Unlock()
	r.faults = &fault.Env{Fleet: r.fleet, History: r.history, Parley: r.o.Binary, Base: r.o.Base, Users: users, Intruders: r.intruders()}
	err = r.disturb(ctx)
	r.say("the users fall silent")
	r.users.Stop()
	if err == nil {
		r.say("waiting for deliveries")
		settle, cancel := context.WithTimeout(ctx, r.slow(deliverWithin)+time.Second)
		defer cancel()
		if lacks := r.users.Settle(settle); lacks > 0 {
			r.note("devices lag in %d conversations", lacks)
		}
		r.users.Final()
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	r.users.Close(end)
	if err != nil {
		return err
	}
	return r.collect(ctx)
}

func (r *run) intruders() *hostile.Hostile {
	o := hostile.Options{Users: workload.Names(), History: r.history}
	for _, a := range apps {
		o.Apps = append(o.Apps, hostile.App{ID: a.ID, Secret: a.Secret})
	}
	return hostile.New(o)
}

// servers are those that clients may go to.
func (r *run) servers() (all []workload.Server) {
	for _, n := range r.fleet.Nodes() {
		all = append(all, workload.Server{Name: n.Name, URL: n.URL()})
	}
	return all
}

// disturb makes the planned faults until the time is up, then waits for a calm
// end. The error is ctx's.
func (r *run) disturb(ctx context.Context) error {
	until := time.Now().Add(r.o.Duration - calmTime)
	for step := range fault.Plan(r.o.Seed, r.o.Faults) {
		if time.Until(until) < step.Rest+step.Begin[0].Hold {
			break
		}
		r.say("resting")
		if err := sleep(ctx, step.Rest); err != nil {
			return err
		}
		r.step(ctx, step)
		whole, cancel := context.WithTimeout(ctx, r.slow(wholeTime))
		err := r.fleet.AwaitWhole(whole, maxLag)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.trouble(err)
		}
		if r.stuck != nil {
			break // nothing more can be learned
		}
	}
	r.say("calm end")
	return sleep(ctx, max(calmTime, time.Until(until.Add(calmTime))))
}

// maxLag is how many entries a replica may lack at a moment under load.
const maxLag = 1000

// trouble keeps the first thing that did not come back.
func (r *run) trouble(err error) {
	r.note("%v", err)
	if r.stuck == nil {
		r.stuck = err
	}
}

// step makes the faults of a step side by side.
func (r *run) step(ctx context.Context, s fault.Step) {
	failed := make(chan error, len(s.Begin))
	var names []string
	for _, one := range s.Begin {
		names = append(names, one.Kind.Name)
		go func() { failed <- r.faults.Make(ctx, one) }()
	}
	r.say("%v", names)
	for range s.Begin {
		if err := <-failed; err != nil && !errors.Is(err, fault.ErrNoEffect) && ctx.Err() == nil {
			r.trouble(err)
		}
	}
}

func (r *run) note(format string, args ...any) {
	r.history.Record(history.Event{Kind: history.KindNote, Text: fmt.Sprintf(format, args...)})
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// live are the nodes that run.
func (r *run) live() []*fleet.Node {
	return slices.DeleteFunc(r.fleet.Nodes(), func(n *fleet.Node) bool { return !n.Runs() })
}
