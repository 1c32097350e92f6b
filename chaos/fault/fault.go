// Package fault is the catalogue of what a chaos run does to a cluster of real
// processes, and the plan of it that a seed gives. A fault is made, seen to have
// taken effect, held, and undone; each of these is an event of the history. Of
// users it knows what they can be made to do, and it judges nothing. All of it
// blocks.
package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/chaos/fleet"
	"github.com/parley-im/parley/chaos/history"
)

// Kind is one row of the catalogue.
type Kind struct {
	Name string
	// Alone faults are never made beside another one: they take a node's data or
	// concern all nodes.
	Alone bool
	needs need
	make  func(context.Context, *made) error
}

// need says what a fault cannot be made without.
type need int

const (
	nothing  need = iota
	cuts          // a fleet with Netns or Proxies
	netns         // a fleet with Netns
	queues        // that, and a kernel that queues packets
	disks         // a fleet with Disks
	strace        // strace, and the right to use it
	clocks        // a binary whose clock can be set
	releases      // another binary, for nodes to begin with
)

// Kinds is the catalogue.
var Kinds = []Kind{
	{Name: "kill", make: kill},
	{Name: "kill-leader", make: killLeader},
	{Name: "kill-all", Alone: true, make: killAll},
	{Name: "kill-forever", Alone: true, make: killForever},
	{Name: "wipe", Alone: true, make: wipe},
	{Name: "restore-old-copy", Alone: true, make: restoreOldCopy},
	{Name: "pause", make: pause},
	{Name: "pause-leader", make: pauseLeader},
	{Name: "restart", make: restart},
	{Name: "roll", Alone: true, make: roll},
	{Name: "upgrade", needs: releases, Alone: true, make: upgrade},
	{Name: "drain", Alone: true, make: drain},
	{Name: "flip", Alone: true, make: flip},
	{Name: "truncate", Alone: true, make: truncate},
	{Name: "fsync-error", needs: strace, make: fsyncError},
	{Name: "fsync-slow", needs: strace, make: fsyncSlow},
	{Name: "disk-full", needs: disks, make: diskFull},
	{Name: "power-cut", needs: disks, make: powerCut},
	{Name: "power-cut-all", needs: disks, Alone: true, make: powerCutAll},
	{Name: "partition", needs: cuts, make: partition},
	{Name: "deafen", needs: cuts, make: deafen},
	{Name: "mute", needs: cuts, make: mute},
	{Name: "loss", needs: netns, make: loss},
	{Name: "reset", needs: cuts, make: reset},
	{Name: "jitter", needs: queues, make: jitter},
	{Name: "clock", needs: clocks, make: clock},
	{Name: "storm", make: storm},
	{Name: "slow-clients", make: slowClients},
	{Name: "hostile", make: hostile},
	{Name: "token-flood", make: tokenFlood},
}

// Env is what faults are made with.
type Env struct {
	Fleet   *fleet.Fleet
	History *history.Writer
	// Parley is the program, for its verify command; Base the one that nodes began
	// with, if that is another one.
	Parley, Base string
	// Users and Intruders are for the faults that clients make.
	Users     Users
	Intruders Intruders
	ops       atomic.Uint64
	stepped   bool // the cluster has agreed on a version that Base does not speak

	mu    sync.Mutex
	taken map[*fleet.Node]bool // victims of faults that are there
}

// firstOp keeps the ops of faults apart from those of the workload.
const firstOp = 1 << 40

// ErrNotPossible says that this machine lacks what a fault needs.
var ErrNotPossible = errors.New("not possible here")

// Possible gives nil, or ErrNotPossible and what lacks.
func (k Kind) Possible(here fleet.Abilities) error {
	var lacks string
	switch {
	case k.needs == cuts && !here.Netns && !here.Proxies:
		lacks = "network namespaces (root, ip, ss, iptables, nsenter), or proxies (Linux)"
	case k.needs == netns && !here.Netns:
		lacks = "network namespaces (root, ip, ss, iptables, nsenter)"
	case k.needs == queues && !here.Delay:
		lacks = "network namespaces (root, ip, ss, iptables, nsenter) and a kernel with packet queues (NFQUEUE)"
	case k.needs == disks && !here.Disks:
		lacks = "file systems of its own (root, mkfs.ext4, loop devices)"
	case k.needs == strace && !here.Strace:
		lacks = "strace and root"
	case k.needs == clocks && !here.Clock:
		lacks = "a parley built with -tags failpoint"
	case k.needs == releases && !here.Base:
		lacks = "a parley that nodes begin with (--base)"
	default:
		return nil
	}
	return fmt.Errorf("%s: %w: it needs %s", k.Name, ErrNotPossible, lacks)
}

// Parse reads names with commas between; "all" is the whole catalogue, "none" no
// fault.
func Parse(list string) ([]Kind, error) {
	switch list {
	case "all":
		return slices.Clone(Kinds), nil
	case "none":
		return nil, nil
	}
	var chosen []Kind
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(Kinds, func(k Kind) bool { return k.Name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("there is no fault %q; there are all, none, %s", name, strings.Join(Names(Kinds), ", "))
		}
		chosen = append(chosen, Kinds[i])
	}
	return chosen, nil
}

// Names gives the kinds' names.
func Names(kinds []Kind) (names []string) {
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	return names
}

// made is one fault while it is there.
type made struct {
	*Env
	op     uint64
	kind   Kind
	victim *fleet.Node
	hold   time.Duration
	rng    *rand.Rand
	begun  bool // the fault event is written
}

// ErrNoEffect says that a fault was not seen to take effect; it is undone.
var ErrNoEffect = errors.New("the fault was not seen to take effect")

// Make makes a fault of a step, holds it, undoes it, and records all of it.
// ErrNoEffect is harmless to the cluster; after any other error it may not be
// whole. It blocks for the hold and what undoing takes.
func (e *Env) Make(ctx context.Context, s Single) error {
	m := &made{Env: e, op: firstOp + e.ops.Add(1), kind: s.Kind, hold: s.Hold, rng: rand.New(rand.NewPCG(s.Draw, 0))}
	free := e.running()
	for i := range free {
		if m.take(free[(s.Victim+i)%len(free)]) {
			break
		}
	}
	if m.victim == nil {
		return errors.New("no node is left to make a fault on")
	}
	defer func() { m.take(nil) }()
	if err := s.Kind.make(ctx, m); err != nil {
		m.event(history.KindNote, fmt.Sprintf("%s of %s: %v", s.Kind.Name, m.victim.Name, err))
		if errors.Is(err, ErrNoEffect) && m.begun {
			m.event(history.KindHealed, "") // there is nothing to undo
		}
		return fmt.Errorf("%s of %s: %w", s.Kind.Name, m.victim.Name, err)
	}
	m.event(history.KindHealed, "")
	return nil
}

// take makes a node the victim, in place of the one before, unless it is the
// victim of another fault: both of a pair look for theirs at the same time.
func (m *made) take(n *fleet.Node) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n != m.victim && m.taken[n] {
		return false
	}
	if m.taken == nil {
		m.taken = make(map[*fleet.Node]bool)
	}
	if delete(m.taken, m.victim); n != nil {
		m.victim, m.taken[n] = n, true
	}
	return true
}

// running are the nodes that run and are no other fault's victims.
func (e *Env) running() []*fleet.Node {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.DeleteFunc(e.Fleet.Nodes(), func(n *fleet.Node) bool { return !n.Runs() || e.taken[n] })
}

// all are the nodes that run.
func (m *made) all() []*fleet.Node {
	return slices.DeleteFunc(m.Fleet.Nodes(), func(n *fleet.Node) bool { return !n.Runs() })
}

// begin records that the fault is about to be made.
func (m *made) begin(text string) {
	m.begun = true
	m.event(history.KindFault, text)
}

// effect records the evidence.
func (m *made) effect(format string, args ...any) {
	m.event(history.KindEffect, fmt.Sprintf(format, args...))
}

// heal records that undoing begins.
func (m *made) heal() { m.event(history.KindHeal, "") }

func (m *made) event(kind history.Kind, text string) {
	m.History.Record(history.Event{Kind: kind, Op: m.op, Fault: m.kind.Name, Node: m.victim.Name, Text: text})
}

// wait lets time pass.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// effectTime is how long a fault may take to be seen, undoTime to be undone.
const (
	effectTime = 20 * time.Second
	undoTime   = 60 * time.Second
)

// seen waits until something holds.
func seen(ctx context.Context, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, effectTime)
	defer cancel()
	for !holds() {
		if wait(ctx, 20*time.Millisecond) != nil {
			return ErrNoEffect
		}
	}
	return nil
}
