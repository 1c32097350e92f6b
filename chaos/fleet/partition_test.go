package fleet_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/chaos/fleet"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
)

// What a partition may cost, by the design.
const (
	refusedWithin   = 2 * time.Second  // a send on the smaller side
	convergedWithin = 10 * time.Second // everybody, after the healing
	cutFor          = 5 * time.Second
)

// TestPartitionsInNamespaces cuts each node off from the others, gossip and all:
// it refuses, the others go on, and users who talk all the while lose nothing.
func TestPartitionsInNamespaces(t *testing.T) {
	if os.Getenv("PARLEY_NETNS") == "" || os.Geteuid() != 0 {
		t.Skip("makes network namespaces: needs root and PARLEY_NETNS=1, see make partition")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	f := begin(ctx, t, 3, func(_ *testing.T, o *fleet.Options) { o.Netns = true })
	settle(ctx, t, f, 3)
	p := probeAll(ctx, t, f)
	c := converse(ctx, t, f, 6)
	c.goesOn(ctx)
	for _, n := range f.Nodes() {
		settle(ctx, t, f, 3)
		others := slices.DeleteFunc(f.Nodes(), func(other *fleet.Node) bool { return other == n })
		cuts := cutOff(t, f, n, others)
		since := time.Now()
		await(ctx, t, "the others go on, and the node has refused", func() bool {
			return time.Since(since) > cutFor && p.every(since, func(at *fleet.Node, tr try) bool { return (tr.err == nil) == (at != n) })
		})
		resumed := p.resumed(since, others)
		healing := time.Now()
		for _, c := range cuts {
			if err := c.Heal(); err != nil {
				t.Fatal(err)
			}
		}
		healed := time.Now()
		await(ctx, t, "everybody is served", func() bool {
			return p.every(healed, func(_ *fleet.Node, tr try) bool { return tr.err == nil }) && n.Ready(ctx)
		})
		converged := time.Since(healed)
		c.goesOn(ctx)
		if converged > convergedWithin {
			t.Errorf("%s: converged after %v, want at most %v", n.Name, converged, convergedWithin)
		}
		refusals, longest := p.refusals(n, since, healing)
		t.Logf("%s cut off: everybody on the others was served after %v; %d refusals on it, the longest took %v; healed after %v; longest pause of a talker %v",
			n.Name, resumed, refusals, longest, converged.Round(time.Millisecond), c.gap(since))
	}
	p.finish(ctx)
	t.Logf("%d messages acknowledged, each heard once and in order", c.finish(ctx))
}

// cutOff has a node and others not hear each other.
func cutOff(t *testing.T, f *fleet.Fleet, n *fleet.Node, others []*fleet.Node) (cuts []*fleet.Cut) {
	t.Helper()
	one := []*fleet.Node{n}
	for _, sides := range [][2][]*fleet.Node{{one, others}, {others, one}} {
		c, err := f.Deafen(sides[0], sides[1])
		if err != nil {
			t.Fatal(err)
		}
		cuts = append(cuts, c)
	}
	return cuts
}

// probes are users who write over one node each and hide nothing: a refusal is
// an answer.
type probes struct {
	*testing.T
	all     []*probe
	stop    chan struct{}
	running sync.WaitGroup
}

type probe struct {
	node   *fleet.Node
	name   string
	client *client.Client
	mu     sync.Mutex
	tries  []try
}

// try is one attempt to send.
type try struct {
	begun, ended time.Time
	err          error
}

// probeAll has users on each node write into every second shard or so.
func probeAll(ctx context.Context, t *testing.T, f *fleet.Fleet) *probes {
	t.Helper()
	p := &probes{T: t, stop: make(chan struct{})}
	for _, n := range f.Nodes() {
		for i := range 12 {
			name := fmt.Sprintf("probe-%s-%d", n.Name, i)
			if err := thin(ctx, t, n, name+"-peer").Close(ctx); err != nil { // that the user exists
				t.Fatal(err)
			}
			p.all = append(p.all, &probe{node: n, name: name, client: thin(ctx, t, n, name)})
		}
	}
	for _, one := range p.all {
		p.running.Go(func() { one.run(ctx, p.stop) })
	}
	return p
}

// thin is a client of one node, and makes one attempt of everything.
func thin(ctx context.Context, t *testing.T, n *fleet.Node, user string) *client.Client {
	t.Helper()
	tok, err := token(user)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Dial(ctx, client.Options{Servers: []string{n.URL()}, AppID: app, UserID: user, Token: tok, NoReconnect: true})
	if err != nil {
		t.Fatalf("%s on %s: %v", user, n.Name, err)
	}
	return c
}

func (p *probe) run(ctx context.Context, stop chan struct{}) {
	pace := time.NewTicker(50 * time.Millisecond)
	defer pace.Stop()
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-pace.C:
		}
		tr := try{begun: time.Now()}
		_, tr.err = p.client.Send(ctx, client.SendRequest{
			Peer: p.name + "-peer", Message: chat.Message{Type: chat.TypeText, Body: []byte(strconv.Itoa(n))},
		})
		tr.ended = time.Now()
		p.mu.Lock()
		p.tries = append(p.tries, tr)
		p.mu.Unlock()
	}
}

// since gives the tries that began after a moment.
func (p *probe) since(begun time.Time) []try {
	p.mu.Lock()
	defer p.mu.Unlock()
	first, _ := slices.BinarySearchFunc(p.tries, begun, func(tr try, at time.Time) int { return tr.begun.Compare(at) })
	return slices.Clone(p.tries[first:])
}

// every says whether each probe had a try of a kind.
func (p *probes) every(since time.Time, kind func(*fleet.Node, try) bool) bool {
	return !slices.ContainsFunc(p.all, func(one *probe) bool {
		return !slices.ContainsFunc(one.since(since), func(tr try) bool { return kind(one.node, tr) })
	})
}

// resumed is how long the last of those on some nodes waited for its first
// acknowledgement.
func (p *probes) resumed(since time.Time, on []*fleet.Node) (longest time.Duration) {
	for _, one := range p.all {
		all := one.since(since)
		if i := slices.IndexFunc(all, func(tr try) bool { return tr.err == nil }); i >= 0 && slices.Contains(on, one.node) {
			longest = max(longest, all[i].ended.Sub(since))
		}
	}
	return longest.Round(time.Millisecond)
}

// refusals wants every send on a node to be refused, in time and in words that
// say so, from the cut until the healing.
func (p *probes) refusals(n *fleet.Node, cut, healing time.Time) (count int, longest time.Duration) {
	p.Helper()
	for _, one := range p.all {
		if one.node != n {
			continue
		}
		for _, tr := range one.since(cut) {
			if tr.ended.After(healing) {
				break
			}
			count++
			longest = max(longest, tr.ended.Sub(tr.begun))
			if !chat.CodeOf(tr.err).Retryable() {
				p.Errorf("%s was answered %v after %v: %v", one.name, tr.ended.Sub(cut), n.Name, tr.err)
			}
		}
	}
	if longest > refusedWithin {
		p.Errorf("%s took %v to refuse, want at most %v", n.Name, longest, refusedWithin)
	}
	return count, longest.Round(time.Millisecond)
}

func (p *probes) finish(ctx context.Context) {
	p.Helper()
	close(p.stop)
	p.running.Wait()
	for _, one := range p.all {
		if err := one.client.Close(ctx); err != nil {
			p.Errorf("%s: close: %v", one.name, err)
		}
	}
}
